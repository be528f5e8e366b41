#pragma once

#include <vector>

namespace inetdiag {

/// Drops all capabilities except these, also from the inheritable, ambient and bounding sets.
/// Throws std::system_error if capget(2) or capset(2) fails.
void drop_capabilities(const std::vector<int>& kept);

}  // namespace inetdiag
