#include "exporter/http/listen_socket.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace inetdiag {
namespace {

/// `result` is the result of inet_pton(). An unparsable address must not become INADDR_ANY.
bool is_parsed(int result) {
  if (result != 1) {
    errno = EINVAL;
  }
  return result == 1;
}

bool bind_to(int fd, const ListenAddress& address) {
  if (address.is_ipv6()) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(address.port);
    return is_parsed(inet_pton(AF_INET6, address.host.c_str(), &name.sin6_addr)) &&
           ::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  }
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  const char* host = address.host.empty() ? "0.0.0.0" : address.host.c_str();
  return is_parsed(inet_pton(AF_INET, host, &name.sin_addr)) &&
         ::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}

std::string error_with_advice(int error) {
  std::string text = std::strerror(error);
  if (error == EADDRINUSE) {
    text += "; stop the program that uses the port, or set another --web.listen-address";
  } else if (error == EADDRNOTAVAIL) {
    text += "; this host does not have the address, set another --web.listen-address";
  } else if (error == EAFNOSUPPORT) {
    text += "; this host has no IPv6, set another --web.listen-address";
  } else {
    text += "; set another --web.listen-address";
  }
  return text;
}

}  // namespace

kernel::UniqueFd listen_on(const ListenAddress& address) {
  kernel::UniqueFd fd(::socket(address.is_ipv6() ? AF_INET6 : AF_INET,
                               SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      !bind_to(fd.get(), address) || ::listen(fd.get(), SOMAXCONN) != 0) {
    const int error = errno;
    throw std::runtime_error("cannot listen on " + address.text() + ": " +
                             error_with_advice(error));
  }
  return fd;
}

std::uint16_t local_port(int fd) {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "getsockname");
  }
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(name.sin6_port);
}

}  // namespace inetdiag
