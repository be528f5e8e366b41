#include "collectors/support/drop_counter.h"

#include <limits>
#include <map>

namespace inetdiag {
namespace {

/// Returns the growth of a count that wraps at 2^32. A difference of more than half the range means
/// that it decreased, as the kernel sums per-node counts without a lock.
std::uint32_t growth_of(std::uint32_t before, std::uint32_t now) {
  const std::uint32_t difference = now - before;
  return difference <= std::numeric_limits<std::int32_t>::max() ? difference : 0;
}

}  // namespace

std::uint64_t DropTracker::update(std::span<const SocketDrops> sockets) {
  std::uint64_t growth = 0;
  for (const SocketDrops& socket : sockets) {
    if (socket.drops == 0) {
      continue;  // most sockets; saves memory
    }
    const auto [seen, is_new] = seen_.try_emplace(socket.cookie, Seen{0, round_});
    const std::uint32_t grown = is_new ? socket.drops : growth_of(seen->second.drops, socket.drops);
    if (is_new || seen->second.round != round_) {
      ++present_;
    }
    seen->second = {seen->second.drops + grown, round_};
    growth += grown;
  }
  return growth;
}

void DropTracker::end_round() {
  if (seen_.size() > present_ + max_absent_) {
    // Cookies by the round in which they were last present.
    std::multimap<std::uint64_t, std::uint64_t> absent;
    for (const auto& [cookie, seen] : seen_) {
      if (seen.round != round_) {
        absent.emplace(seen.round, cookie);
      }
    }
    while (absent.size() > max_absent_) {
      seen_.erase(absent.begin()->second);
      absent.erase(absent.begin());
    }
  }
  present_ = 0;
  ++round_;
}

}  // namespace inetdiag
