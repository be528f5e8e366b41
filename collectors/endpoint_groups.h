// What collectors that group sockets by endpoint share: labels, and the bound on their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "collectors/family.h"
#include "collectors/kernel/endpoint.h"

namespace inetdiag {

// A queue this full keeps its owner out of the fold before all others.
inline constexpr double notable_fill = 0.5;

// How many endpoints that are gone keep their drop count, so that it does not fall if they return.
inline constexpr std::size_t most_absent_endpoints = 10'000;

/// `address`, `port` and, where it is bound to one, `device`. Throws std::system_error.
Labels endpoint_labels(const kernel::Endpoint& endpoint);

/// The labels of what is folded together.
Labels folded_labels();

/// Puts groups in trouble first, the others by port, so that which ones are folded hardly ever
/// changes; returns how many of them stand for themselves.
template <typename Named>
std::size_t rank(std::vector<Named>& groups, std::size_t max) {
  std::ranges::sort(groups, {}, [](const Named& named) {
    return std::tuple(!named.group.is_notable(), named.endpoint.port, named.endpoint);
  });
  return std::min(groups.size(), max);
}

}  // namespace inetdiag
