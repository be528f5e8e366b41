#include "exporter/statsd/sender.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <nss.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "exporter/build_info.h"

namespace inetdiag::statsd {
namespace {

using kernel::UniqueFd;

constexpr int socket_type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

std::system_error connect_error(int error, const Address& address) {
  return {error, std::generic_category(), "cannot connect to " + address.text()};
}

Sender open_unix_sender(const Address& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, address.path.data(), address.path.size());
  UniqueFd fd(::socket(AF_UNIX, socket_type, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    throw connect_error(errno, address);
  }
  return Sender(std::move(fd));
}

/// Resolves host names with the modules in glibc only: those that nsswitch.conf names may be of
/// another glibc than the one in a static executable.
void use_builtin_resolvers() {
  [[maybe_unused]] static const int result = __nss_configure_lookup("hosts", "files dns");
}

std::vector<Sender> open_udp_senders(const Address& address) {
  if (build_info::is_static) {
    use_builtin_resolvers();
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &list)) {
    throw std::runtime_error("cannot resolve " + address.host + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  std::vector<Sender> senders;
  int error = 0;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    UniqueFd fd(::socket(each->ai_family, socket_type, 0));
    if (fd && ::connect(fd.get(), each->ai_addr, each->ai_addrlen) == 0) {
      senders.emplace_back(std::move(fd));
    } else {
      error = errno;
    }
  }
  if (senders.empty()) {
    throw connect_error(error, address);
  }
  return senders;
}

}  // namespace

int Sender::send(std::string_view datagram, std::chrono::steady_clock::time_point end) const {
  while (::send(fd_.get(), datagram.data(), datagram.size(), 0) < 0) {
    const int error = errno;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (error != EAGAIN && error != EINTR) {
      return error;
    }
    if (left.count() <= 0) {
      return EAGAIN;
    }
    pollfd writable{fd_.get(), POLLOUT, 0};
    ::poll(&writable, 1, static_cast<int>(left.count()));
  }
  return pending_error();
}

int Sender::pending_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::vector<Sender> open_senders(const Address& address) {
  if (!address.is_unix()) {
    return open_udp_senders(address);
  }
  std::vector<Sender> senders;
  senders.push_back(open_unix_sender(address));
  return senders;
}

}  // namespace inetdiag::statsd
