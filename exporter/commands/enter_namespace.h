#pragma once

#include "collectors/kernel/netns/network_namespaces.h"

namespace inetdiag {

/// Moves the calling thread to a network namespace. Throws std::system_error, or std::runtime_error
/// if CAP_SYS_ADMIN is missing.
void enter_namespace(const kernel::NetworkNamespace& target);

}  // namespace inetdiag
