#include "exporter/http/plain_stream.h"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

namespace inetdiag {

IoResult PlainStream::read(std::span<char> buffer) {
  const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n > 0) {
    return {IoStatus::ok, static_cast<std::size_t>(n)};
  }
  return {n < 0 && is_transient(errno) ? would_block_on(POLLIN) : IoStatus::failed};
}

IoResult PlainStream::write(std::string_view bytes) {
  const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) {
    return {IoStatus::ok, static_cast<std::size_t>(n)};
  }
  return {is_transient(errno) ? would_block_on(POLLOUT) : IoStatus::failed};
}

}  // namespace inetdiag
