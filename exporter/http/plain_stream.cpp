#include "exporter/http/plain_stream.h"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

namespace inetdiag {
namespace {

bool is_for_later(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

ClientStream::Taken PlainStream::read(std::span<char> buffer) {
  const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n > 0) {
    return {Step::done, static_cast<std::size_t>(n)};
  }
  return {n < 0 && is_for_later(errno) ? wait_for(POLLIN) : Step::failed};
}

ClientStream::Taken PlainStream::write(std::string_view bytes) {
  const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) {
    return {Step::done, static_cast<std::size_t>(n)};
  }
  return {is_for_later(errno) ? wait_for(POLLOUT) : Step::failed};
}

}  // namespace inetdiag
