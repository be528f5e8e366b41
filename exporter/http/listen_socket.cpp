#include "exporter/http/listen_socket.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace inetdiag {
namespace {

constexpr int listen_backlog = 1024;

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

/// Locks the directory of a path, so that of several exporters one at a time replaces a file in it.
/// Continues without the lock if it cannot be had for two seconds: other programs must not be able
/// to prevent the start.
kernel::UniqueFd lock_directory_of(const std::string& path) {
  constexpr int attempts = 100;
  constexpr std::chrono::milliseconds delay{20};
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  kernel::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; fd && i < attempts && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; ++i) {
    std::this_thread::sleep_for(delay);
  }
  return fd;
}

[[noreturn]] void throw_unix_error(const ListenAddress& address, std::string_view problem) {
  throw std::runtime_error("cannot listen on " + address.text() + ": " + std::string(problem));
}

/// Removes the file of a UNIX socket on which no process listens. Throws std::runtime_error for any
/// other file.
void remove_stale_socket(const ListenAddress& address, const sockaddr_un& name) {
  struct stat file {};
  if (::lstat(name.sun_path, &file) == 0 && !S_ISSOCK(file.st_mode)) {
    throw_unix_error(address,
                     "the file is not a socket; remove it, or set another --web.listen-address");
  }
  const kernel::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool is_connected =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  if (is_connected || errno == EAGAIN) {
    throw_unix_error(address,
                     "another program listens on it; stop it, or set another --web.listen-address");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) {
    throw_unix_error(address, std::string(std::strerror(errno)) +
                                  "; remove the file, or set another --web.listen-address");
  }
  ::unlink(name.sun_path);
}

kernel::UniqueFd listen_on_unix(const ListenAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.path.size() >= sizeof name.sun_path) {
    throw_unix_error(address, "the path is too long");
  }
  address.path.copy(name.sun_path, address.path.size());
  kernel::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto bind = [&] {
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  };
  // Also protects a socket between bind() and listen(), which refuses connections.
  const kernel::UniqueFd lock = lock_directory_of(address.path);
  bool is_bound = fd && bind();
  if (fd && !is_bound && errno == EADDRINUSE) {
    remove_stale_socket(address, name);
    is_bound = bind();
  }
  if (!is_bound || ::listen(fd.get(), listen_backlog) != 0) {
    throw_unix_error(address, std::string(std::strerror(errno)) +
                                  "; the directory must exist and be writable for the exporter");
  }
  return fd;
}

}  // namespace

kernel::UniqueFd listen_on(const ListenAddress& address) {
  if (address.is_unix()) {
    return listen_on_unix(address);
  }
  kernel::UniqueFd fd(::socket(address.is_ipv6() ? AF_INET6 : AF_INET,
                               SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      !bind_to(fd.get(), address) || ::listen(fd.get(), listen_backlog) != 0) {
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

ListenAddress local_address(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "getsockname");
  }
  if (name.ss_family == AF_UNIX) {
    constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
    std::string path(reinterpret_cast<const char*>(&name) + path_offset, size - path_offset);
    if (path.starts_with('\0')) {
      path.front() = '@';  // an abstract address, see unix(7)
    } else {
      path = path.substr(0, path.find('\0'));
    }
    return {.path = path.empty() ? "@" : path};
  }
  std::array<char, INET6_ADDRSTRLEN> host{};
  const void* const bytes =
      name.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(name).sin6_addr)
          : &reinterpret_cast<const sockaddr_in&>(name).sin_addr;
  inet_ntop(name.ss_family, bytes, host.data(), host.size());
  return {.host = host.data(), .port = local_port(fd)};
}

}  // namespace inetdiag
