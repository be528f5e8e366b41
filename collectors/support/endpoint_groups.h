// What collectors that group sockets by endpoint share: labels, and the bound on their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/kernel/netlink/endpoint.h"
#include "collectors/support/drop_counter.h"
#include "collectors/support/family.h"

namespace inetdiag {

// A queue this full keeps its owner out of the fold before all others.
inline constexpr double notable_fill = 0.5;

// How many endpoints that are gone keep their drop count, so that it does not fall if they return.
inline constexpr std::size_t max_absent_endpoints = 10'000;

/// The sockets that share an endpoint, as a collector sums them up: with `member_drops`, `drops`
/// and is_notable().
template <typename Group>
struct NamedGroup {
  kernel::Endpoint endpoint;
  Group group;
  std::uint64_t drops_growth = 0;  ///< since the scrape before
};

/// Turns the drops of the members, which come and go, into counters that never fall.
template <typename Group>
std::vector<NamedGroup<Group>> count_drops(DropCounters<kernel::Endpoint>& counters,
                                           std::map<kernel::Endpoint, Group>&& groups) {
  std::vector<NamedGroup<Group>> named;
  named.reserve(groups.size());
  counters.begin_round();
  for (auto& [endpoint, group] : groups) {
    const auto [total, growth] = counters.update(endpoint, group.member_drops);
    group.drops = total;
    named.push_back({endpoint, std::move(group), growth});
  }
  counters.end_round();
  return named;
}

/// `address`, `port` and, where it is bound to one, `device`. Throws std::system_error.
Labels endpoint_labels(const kernel::Endpoint& endpoint);

/// The labels of what is folded together.
Labels aggregate_labels();

/// Puts groups in trouble first, the others by port, so that which ones are folded hardly ever
/// changes; returns how many of them stand for themselves.
template <typename Group>
std::size_t rank(std::vector<NamedGroup<Group>>& groups, std::size_t max) {
  std::ranges::sort(groups, {}, [](const NamedGroup<Group>& named) {
    return std::tuple(!named.group.is_notable(), named.endpoint.port, named.endpoint);
  });
  return std::min(groups.size(), max);
}

}  // namespace inetdiag
