// Groups of sockets by endpoint: labels, and a limit on the number of series.
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

// Groups with a queue at least this full are aggregated last.
inline constexpr double notable_fill = 0.5;

// Maximum number of closed endpoints, and of closed sockets, whose drops are kept.
inline constexpr std::size_t max_absent_endpoints = 10'000;

/// The sockets of one endpoint. A Group has `member_drops`, `drops` and is_notable().
template <typename Group>
struct NamedGroup {
  kernel::Endpoint endpoint;
  Group group;
  std::uint64_t drops_growth = 0;  ///< since the previous scrape
  CreatedTime created{};           ///< of the counters
};

/// Sets `drops` of each group to a counter that never decreases. `previous_round` is a time shortly
/// before the previous dump of the sockets.
template <typename Group>
std::vector<NamedGroup<Group>> count_drops(DropCounters<kernel::Endpoint>& counters,
                                           std::map<kernel::Endpoint, Group>&& groups,
                                           CreatedTime previous_round) {
  std::vector<NamedGroup<Group>> named;
  named.reserve(groups.size());
  for (auto& [endpoint, group] : groups) {
    const auto [total, growth, created] =
        counters.update(endpoint, group.member_drops, previous_round);
    group.drops = total;
    named.push_back({endpoint, std::move(group), growth, created});
  }
  counters.end_round();
  return named;
}

/// Returns `address`, `port` and, if the endpoint is bound to a device, `device`. Throws
/// std::system_error.
Labels endpoint_labels(const kernel::Endpoint& endpoint);

/// Returns the labels of aggregated groups.
Labels aggregate_labels();

/// Sorts notable groups first and the others by port, which keeps the set of aggregated groups
/// stable. Returns the number of groups with their own series.
template <typename Group>
std::size_t rank(std::vector<NamedGroup<Group>>& groups, std::size_t max) {
  std::ranges::sort(groups, {}, [](const NamedGroup<Group>& named) {
    return std::tuple(!named.group.is_notable(), named.endpoint.port, named.endpoint);
  });
  return std::min(groups.size(), max);
}

}  // namespace inetdiag
