#include "exporter/http/socket_activation.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START
constexpr int max_descriptors = 1024;

/// Returns -1 if the option cannot be read, as of a descriptor that is not a socket.
int socket_option(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

}  // namespace

int count_passed_descriptors(const char* listen_pid, const char* listen_fds, pid_t self) {
  if (listen_pid == nullptr || listen_fds == nullptr) {
    throw std::runtime_error(
        "--web.systemd-socket: systemd passed no sockets (LISTEN_FDS is not set); start the socket "
        "unit, or omit the flag");
  }
  const auto pid = kernel::to_number<pid_t>(std::string_view(listen_pid));
  if (pid != self) {
    throw std::runtime_error("--web.systemd-socket: the sockets are for process " +
                             std::string(listen_pid) + " (LISTEN_PID), this is process " +
                             std::to_string(self) + "; start the exporter without a wrapper");
  }
  const auto count = kernel::to_number<int>(std::string_view(listen_fds));
  if (!count || *count < 1 || *count > max_descriptors) {
    throw std::runtime_error("--web.systemd-socket: invalid LISTEN_FDS '" +
                             std::string(listen_fds) + "', expected a number from 1 to " +
                             std::to_string(max_descriptors) +
                             "; set ListenStream= in the socket unit");
  }
  return *count;
}

kernel::UniqueFd adopt_listening_socket(int fd) {
  const int family = socket_option(fd, SO_DOMAIN);
  if ((family != AF_INET && family != AF_INET6 && family != AF_UNIX) ||
      socket_option(fd, SO_TYPE) != SOCK_STREAM || socket_option(fd, SO_ACCEPTCONN) != 1) {
    throw std::runtime_error(
        "--web.systemd-socket: descriptor " + std::to_string(fd) +
        " is not a listening stream socket; use ListenStream= and Accept=no in "
        "the socket unit");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return kernel::UniqueFd(fd);
}

std::vector<kernel::UniqueFd> take_passed_sockets() {
  const int count =
      count_passed_descriptors(std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDS"), ::getpid());
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    ::unsetenv(variable);
  }
  std::vector<kernel::UniqueFd> sockets;
  for (int fd = first_descriptor; fd < first_descriptor + count; ++fd) {
    sockets.push_back(adopt_listening_socket(fd));
  }
  return sockets;
}

}  // namespace inetdiag
