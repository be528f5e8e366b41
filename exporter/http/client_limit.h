#pragma once

#include <cstddef>

namespace inetdiag {

/// Raises the soft limit of file descriptors to the hard limit.
void raise_descriptor_limit();

/// Returns how many clients, up to `wanted`, RLIMIT_NOFILE allows with `descriptors_per_client` and
/// `listening` sockets. Throws std::runtime_error if it allows none.
unsigned max_clients_for_descriptors(unsigned wanted, unsigned descriptors_per_client,
                                     std::size_t listening);

/// Returns how many clients, up to `wanted`, can be served at the same time with a thread and
/// `descriptors_per_client` each. Descriptors and threads for everything else are reserved:
/// CivetWeb spins if accept() finds no descriptor, and hangs if its accepting thread cannot start.
/// Throws std::runtime_error with a message that says what to do if the limits allow none.
unsigned max_concurrent_clients(unsigned wanted, unsigned descriptors_per_client,
                                std::size_t listening);

}  // namespace inetdiag
