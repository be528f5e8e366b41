#pragma once

#include <string>
#include <vector>

namespace inetdiag {

/// Moves the calling thread to the network namespace that is pinned as `name` in one of the
/// directories. Throws std::invalid_argument for an invalid name, std::system_error if the
/// namespace does not exist, and std::runtime_error if CAP_SYS_ADMIN is missing.
void enter_pinned_namespace(const std::vector<std::string>& directories, const std::string& name);

}  // namespace inetdiag
