// The most frequent keys of a stream, in constant memory: Space-Saving (Metwally, Agrawal, El
// Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace inetdiag::kernel {

/// Counts keys in `capacity` counters. A new key that finds no free counter replaces a key with the
/// lowest count and takes over its count.
///
/// Guarantees, for any order of the stream:
/// - the number of occurrences of a key in top() is from `at_least` to `at_most`;
/// - `at_most` - `at_least` <= max_error() <= total() / capacity;
/// - a key that has no counter occurred at most max_error() times, so every key that occurred more
///   than total() / capacity times has one;
/// - if there are at most `capacity` different keys, is_exact() is true and max_error() is 0.
///
/// add() takes constant time, amortized. Keys that a peer can choose need a hash with a secret.
template <typename Key, typename Hash = std::hash<Key>>
class TopK {
 public:
  struct Entry {
    Key key;
    std::uint64_t at_most = 0;
    std::uint64_t at_least = 0;
  };

  /// Requires a capacity above 0.
  explicit TopK(std::size_t capacity, Hash hash = Hash())
      : capacity_(capacity), counters_(capacity, std::move(hash)) {}

  TopK(const TopK&) = delete;
  TopK& operator=(const TopK&) = delete;
  TopK(TopK&&) noexcept = default;
  TopK& operator=(TopK&&) noexcept = default;
  ~TopK() = default;

  void add(const Key& key) {
    ++total_;
    if (const auto found = counters_.find(key); found != counters_.end()) {
      ++found->second.count;
    } else if (counters_.size() < capacity_) {
      counters_.emplace(key, Counter{.count = 1, .error = 0});
    } else {
      replace_lowest(key);
    }
  }

  std::uint64_t total() const { return total_; }
  bool is_exact() const { return max_error_ == 0; }
  std::uint64_t max_error() const { return max_error_; }

  /// Returns the number of keys that have a counter: of all different keys if is_exact().
  std::size_t size() const { return counters_.size(); }

  /// Returns up to `count` keys, the highest `at_most` first, then the highest `at_least`, then by
  /// key.
  std::vector<Entry> top(std::size_t count) const {
    std::vector<Entry> entries;
    entries.reserve(counters_.size());
    for (const auto& [key, counter] : counters_) {
      entries.push_back(
          {.key = key, .at_most = counter.count, .at_least = counter.count - counter.error});
    }
    count = std::min(count, entries.size());
    std::ranges::partial_sort(entries, entries.begin() + static_cast<std::ptrdiff_t>(count),
                              [](const Entry& left, const Entry& right) {
                                return left.at_most != right.at_most ? left.at_most > right.at_most
                                       : left.at_least != right.at_least
                                           ? left.at_least > right.at_least
                                           : left.key < right.key;
                              });
    entries.resize(count);
    return entries;
  }

 private:
  struct Counter {
    std::uint64_t count = 0;
    std::uint64_t error = 0;  ///< the count that was taken over
  };
  using Counters = std::unordered_map<Key, Counter, Hash>;

  void replace_lowest(const Key& key) {
    // Reuses the node: neither allocates nor rehashes.
    auto node = counters_.extract(lowest_key());
    max_error_ = node.mapped().count;
    node.key() = key;
    node.mapped() = {.count = max_error_ + 1, .error = max_error_};
    counters_.insert(std::move(node));
  }

  /// Returns a key with the lowest count. The lowest count never decreases and is at most
  /// total() / capacity. The counters are searched only when it has increased, so all searches
  /// together visit at most total() counters.
  Key lowest_key() {
    while (true) {
      while (!lowest_.empty()) {
        const auto* counter = lowest_.back();
        lowest_.pop_back();
        if (counter->second.count == lowest_count_) {
          return counter->first;
        }
      }
      find_lowest();
    }
  }

  void find_lowest() {
    lowest_count_ = std::numeric_limits<std::uint64_t>::max();
    for (const auto& counter : counters_) {
      if (counter.second.count < lowest_count_) {
        lowest_count_ = counter.second.count;
        lowest_.clear();
      }
      if (counter.second.count == lowest_count_) {
        lowest_.push_back(&counter);
      }
    }
  }

  std::size_t capacity_;
  Counters counters_;
  /// Counters that had lowest_count_ when they were searched; some may have been incremented since.
  std::vector<const typename Counters::value_type*> lowest_;
  std::uint64_t lowest_count_ = 0;
  std::uint64_t max_error_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace inetdiag::kernel
