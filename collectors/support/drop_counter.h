#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>

#include "collectors/support/family.h"

namespace inetdiag {

/// The drops of one socket (SK_MEMINFO_DROPS). The cookie identifies it.
struct SocketDrops {
  std::uint64_t cookie;
  std::uint32_t drops;
};

/// Returns by how much the drops of sockets grow. Handles counts that wrap at 2^32, and does not
/// count a socket twice if one dump misses it. Stores only sockets with drops, and up to
/// `max_absent` that are absent.
class DropTracker {
 public:
  explicit DropTracker(std::size_t max_absent) : max_absent_(max_absent) {}

  /// Returns the growth since the sockets were last present.
  std::uint64_t update(std::span<const SocketDrops> sockets);

  /// Sockets that were not updated since the previous end_round() are absent. Evicts the longest
  /// absent ones.
  void end_round();

 private:
  struct Seen {
    std::uint32_t drops;
    std::uint64_t round;
  };

  std::size_t max_absent_;
  std::unordered_map<std::uint64_t, Seen> seen_;  ///< by cookie, which the kernel never reuses
  std::uint64_t round_ = 0;
  std::size_t present_ = 0;
};

/// Sums the drops of sockets that open and close into a counter for each key that never decreases.
/// A socket that moves from one key to another, or to an aggregate, is not counted twice. Keeps the
/// counters of up to `max_absent` absent keys, because a counter must not decrease if its key
/// returns. Evicts the longest absent keys first.
template <typename Key>
class DropCounters {
 public:
  explicit DropCounters(std::size_t max_absent) : max_absent_(max_absent), sockets_(max_absent) {}

  struct Updated {
    std::uint64_t total = 0;
    std::uint64_t growth = 0;
    CreatedTime created{};
  };
  /// Updates the counter of a key with the drops of all its open sockets. A new counter starts at 0
  /// at `previous_round`; that of a key which returns continues.
  Updated update(const Key& key, std::span<const SocketDrops> sockets,
                 CreatedTime previous_round = {}) {
    Entry& entry = entries_.try_emplace(key, Entry{.created = previous_round}).first->second;
    entry.round = round_;
    const std::uint64_t growth = sockets_.update(sockets);
    entry.total += growth;
    return {entry.total, growth, entry.created};
  }

  /// To be called if the growth of a key is shown in an aggregate: a series of its own that begins
  /// later must not count it again.
  void forget_created(const Key& key) { entries_.at(key).created.reset(); }

  /// Returns the growth of sockets without a key.
  std::uint64_t update_aggregate(std::span<const SocketDrops> sockets) {
    return sockets_.update(sockets);
  }

  /// Keys that were not updated since the previous end_round() are absent.
  void end_round() {
    std::multimap<std::uint64_t, Key> absent;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (entry->second.round == round_) {
        ++entry;
      } else if (entry->second.total == 0) {
        entry = entries_.erase(entry);
      } else {
        absent.emplace(entry->second.round, entry->first);
        ++entry;
      }
    }
    while (absent.size() > max_absent_) {
      entries_.erase(absent.begin()->second);
      absent.erase(absent.begin());
    }
    sockets_.end_round();
    ++round_;
  }

 private:
  struct Entry {
    CreatedTime created{};
    std::uint64_t total = 0;
    std::uint64_t round = 0;
  };
  std::size_t max_absent_;
  DropTracker sockets_;
  std::uint64_t round_ = 0;
  std::map<Key, Entry> entries_;
};

}  // namespace inetdiag
