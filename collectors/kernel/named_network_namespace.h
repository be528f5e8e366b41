#pragma once

#include <string>

namespace inetdiag::kernel {

/// Moves the calling thread into the network namespace that ip-netns(8) knows as `name`. Needs
/// CAP_SYS_ADMIN. Throws std::system_error, or std::invalid_argument where `name` is none.
void enter_named_network_namespace(const std::string& name);

}  // namespace inetdiag::kernel
