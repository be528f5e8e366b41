#pragma once

#include <vector>

namespace inetdiag {

/// Gives up all capabilities but these, also for programs that it could start. Throws
/// std::system_error.
void drop_capabilities(const std::vector<int>& kept);

}  // namespace inetdiag
