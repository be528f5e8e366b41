#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>

namespace inetdiag {

/// The drops of one socket (SK_MEMINFO_DROPS). The cookie identifies it.
struct SocketDrops {
  std::uint64_t cookie;
  std::uint32_t drops;
};

/// Sums the drops of sockets that open and close into a counter that never decreases. It keeps the
/// drops of closed sockets, handles counts that wrap at 2^32, and does not count a socket twice if
/// one dump misses it. It stores only sockets with drops.
class DropCounter {
 public:
  /// Updates the counter with the drops of all open sockets. Returns the growth since the previous
  /// call.
  std::uint64_t update(std::span<const SocketDrops> sockets);

  std::uint64_t total() const { return total_; }

 private:
  struct Seen {
    std::uint32_t drops;
    std::uint64_t round;
  };

  void evict_longest_absent();

  std::unordered_map<std::uint64_t, Seen> seen_;  ///< by cookie, which the kernel never reuses
  std::uint64_t round_ = 0;
  std::uint64_t total_ = 0;
};

/// A DropCounter for each key. Keeps the counters of up to `max_absent` absent keys, because a
/// counter must not decrease if its key returns. Evicts the longest absent keys first.
template <typename Key>
class DropCounters {
 public:
  explicit DropCounters(std::size_t max_absent) : max_absent_(max_absent) {}

  /// Keys that are not updated before end_round() are absent.
  void begin_round() { ++round_; }

  struct Updated {
    std::uint64_t total;
    std::uint64_t growth;
  };
  Updated update(const Key& key, std::span<const SocketDrops> sockets) {
    Entry& entry = entries_[key];
    entry.round = round_;
    const std::uint64_t growth = entry.counter.update(sockets);
    return {entry.counter.total(), growth};
  }

  void end_round() {
    std::multimap<std::uint64_t, Key> absent;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (entry->second.round == round_) {
        ++entry;
      } else if (entry->second.counter.total() == 0) {
        entry = entries_.erase(entry);
      } else {
        entry->second.counter.update({});
        absent.emplace(entry->second.round, entry->first);
        ++entry;
      }
    }
    while (absent.size() > max_absent_) {
      entries_.erase(absent.begin()->second);
      absent.erase(absent.begin());
    }
  }

 private:
  struct Entry {
    DropCounter counter;
    std::uint64_t round = 0;
  };
  std::size_t max_absent_;
  std::uint64_t round_ = 0;
  std::map<Key, Entry> entries_;
};

}  // namespace inetdiag
