#pragma once

#include <cstddef>

namespace inetdiag {

/// Raises the soft limit of descriptors to the hard one, which is what the administrator allows.
void raise_descriptor_limit();

/// How many clients, with so many descriptors for each and so many for what listens, the limit of
/// descriptors allows: `wanted` or fewer. Throws std::runtime_error where it allows none.
unsigned max_clients_for_descriptors(unsigned wanted, unsigned descriptors_each,
                                     std::size_t listening);

/// How many clients can be held at the same time, each by a thread and so many descriptors:
/// `wanted`, or as many as the limits of this process allow. Some of both are left for everything
/// else: CivetWeb spins where accept() finds no descriptor, and hangs where its accepting thread
/// cannot start. Throws std::runtime_error with a text that says what to do where there is room for
/// none.
unsigned max_concurrent_clients(unsigned wanted, unsigned descriptors_each, std::size_t listening);

}  // namespace inetdiag
