#pragma once

#include <cstddef>

namespace inetdiag {

/// Raises the soft limit of file descriptors to the hard limit.
void raise_descriptor_limit();

struct ClientLimits {
  std::size_t clients = 0;
  std::size_t connections = 0;  ///< to the HTTP server, with a descriptor at each end
};

/// Returns the limits that RLIMIT_NOFILE allows beside `listening` sockets and everything else
/// that needs descriptors: CivetWeb spins if accept() finds none. Throws std::runtime_error with a
/// message that says what to do if it allows no client.
ClientLimits client_limits(std::size_t listening);

/// Throws std::runtime_error if this process cannot start the threads of the HTTP server and a few
/// more: CivetWeb hangs if its accepting thread cannot start.
void require_threads();

}  // namespace inetdiag
