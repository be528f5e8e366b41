#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>

namespace inetdiag {

/// What a socket says of its own drops (SK_MEMINFO_DROPS), to be told apart by its cookie.
struct SocketDrops {
  std::uint64_t cookie;
  std::uint32_t drops;
};

/// Makes one counter that never goes down out of the drop counts of sockets that come and go: a
/// socket that closed leaves what it counted behind, a count that wraps at 2^32 goes on, and a
/// socket that was missing for a while (it did not listen, or a dump missed it) is not counted
/// anew.
/// It remembers only sockets that dropped.
class DropCounter {
 public:
  /// Takes the counts of all sockets that are there now; returns the growth since the last time.
  std::uint64_t update(std::span<const SocketDrops> sockets);

  std::uint64_t total() const { return total_; }

 private:
  struct Seen {
    std::uint32_t drops;
    std::uint64_t round;
  };

  void evict_longest_absent();

  std::unordered_map<std::uint64_t, Seen> seen_;  ///< by cookie, which is never given twice
  std::uint64_t round_ = 0;
  std::uint64_t total_ = 0;
};

/// A DropCounter for each key. A key that is gone is remembered, since it may come back and its
/// counter must not fall then: not where it never dropped, and at most `max_absent` of them, the
/// longest absent forgotten first.
template <typename Key>
class DropCounters {
 public:
  explicit DropCounters(std::size_t max_absent) : max_absent_(max_absent) {}

  /// Begins a new round; the keys that are not updated in it count as absent when it ends.
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
