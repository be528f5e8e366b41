#include "exporter/http/listen_socket.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace inetdiag {
namespace {

/// What inet_pton() does not understand must not become the address of all.
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

std::string reason(int error) {
  std::string why = std::strerror(error);
  if (error == EADDRINUSE) {
    why += "; end the program that has the port, or choose another with --web.listen-address";
  } else if (error == EADDRNOTAVAIL) {
    why += "; this host has no such address, choose another with --web.listen-address";
  } else if (error == EAFNOSUPPORT) {
    why += "; this host has no IPv6, choose another address with --web.listen-address";
  } else {
    why += "; choose another address with --web.listen-address";
  }
  return why;
}

}  // namespace

kernel::UniqueFd listen_on(const ListenAddress& address) {
  kernel::UniqueFd fd(::socket(address.is_ipv6() ? AF_INET6 : AF_INET,
                               SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      !bind_to(fd.get(), address) || ::listen(fd.get(), SOMAXCONN) != 0) {
    const int error = errno;
    throw std::runtime_error("cannot listen on " + address.text() + ": " + reason(error));
  }
  return fd;
}

}  // namespace inetdiag
