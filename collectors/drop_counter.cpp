#include "collectors/drop_counter.h"

#include <limits>

namespace inetdiag {
namespace {

/// How far a count that wraps at 2^32 went on. A step of more than half the range is a step back:
/// the kernel sums up per-node counts without a lock.
std::uint32_t step(std::uint32_t before, std::uint32_t now) {
  const std::uint32_t difference = now - before;
  return difference <= std::numeric_limits<std::int32_t>::max() ? difference : 0;
}

}  // namespace

std::uint64_t DropCounter::update(std::span<const SocketDrops> sockets) {
  std::unordered_map<std::uint64_t, std::uint32_t> now;
  now.reserve(sockets.size());
  std::uint64_t growth = 0;
  for (const SocketDrops& socket : sockets) {
    const auto before = last_.find(socket.cookie);
    const bool is_new = before == last_.end();
    const std::uint32_t grown = is_new ? socket.drops : step(before->second, socket.drops);
    growth += grown;
    now.insert_or_assign(socket.cookie, is_new ? socket.drops : before->second + grown);
  }
  last_ = std::move(now);
  total_ += growth;
  return growth;
}

}  // namespace inetdiag
