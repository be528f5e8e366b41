// The listening sockets that systemd passes to a service, see sd_listen_fds(3) and
// systemd.socket(5).
#pragma once

#include <vector>

#include <sys/types.h>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag {

/// Returns how many descriptors were passed to the process `self`, according to the values of
/// LISTEN_PID and LISTEN_FDS, which are null if the variables are not set. Throws
/// std::runtime_error with a message that says what to do if there are none.
int count_passed_descriptors(const char* listen_pid, const char* listen_fds, pid_t self);

/// Sets up a descriptor that was passed as a listening stream socket: IPv4, IPv6 or UNIX. Throws
/// std::runtime_error with a message that says what to do if it is none.
kernel::UniqueFd adopt_listening_socket(int fd);

/// Returns the passed sockets and removes the variables from the environment. Call it before other
/// threads start. Throws std::runtime_error with a message that says what to do.
std::vector<kernel::UniqueFd> take_passed_sockets();

}  // namespace inetdiag
