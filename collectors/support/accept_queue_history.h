// What frequent samples of the accept queues show: how full they were between scrapes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/support/recent_maxima.h"

namespace inetdiag {

/// The samples of one listener. Those from before its queue was first seen not empty are missing.
struct AcceptQueueSamples {
  /// Upper bounds of the fill ratio. A queue above the last one is full, or nearly so if its
  /// backlog is 100 or more.
  static constexpr std::array<double, 5> bounds = {0, 0.25, 0.5, 0.8, 0.99};

  /// Samples by the fill ratio of the fullest socket: up to each bound but above the previous one,
  /// and above the last one.
  std::array<std::uint64_t, bounds.size() + 1> by_fill{};
  double fill_sum = 0;
  /// Seconds that connections waited, summed over the connections.
  std::chrono::duration<double> waiting_time{0};
  double peak_fill = 0;  ///< in the last five minutes
  /// The highest fill ratio in each slot of RecentMaxima, absent without a sample. Empty if the
  /// queue was.
  std::vector<std::optional<double>> recent_fill{};
};

/// Memory grows with the listeners at which connections have waited: some 400 bytes each.
class AcceptQueueHistory {
 public:
  using Clock = std::chrono::steady_clock;
  using Samples = std::map<kernel::Endpoint, AcceptQueueSamples>;

  static constexpr std::size_t max_listeners = 10'000;

  /// Begins, or goes on after an interruption.
  void resume(Clock::time_point now);

  /// Adds a sample: the sockets at which connections wait.
  void add(Clock::time_point now, std::span<const kernel::AcceptQueue> waiting);

  /// Removes the listeners that are not among `open`.
  void keep_only(std::span<const kernel::Listener> open);

  Samples samples(Clock::time_point now) const;
  std::uint64_t count() const { return count_; }

  /// Returns whether a sample after `time` showed the queue of a socket empty. False if there is no
  /// such sample.
  bool was_empty(std::uint64_t cookie, Clock::time_point time) const;

  /// Returns whether a sample after `time` showed it empty, or shorter than the sample before.
  bool has_fallen(std::uint64_t cookie, Clock::time_point time) const;

 private:
  struct Entry {
    std::uint64_t first_sample = 0;
    AcceptQueueSamples samples{};  ///< without those of an empty queue
    RecentMaxima fill{};
  };

  /// Of a socket at which connections wait.
  struct Trend {
    std::uint32_t waiting = 0;
    std::optional<Clock::time_point> empty_at{};   ///< the last sample that showed it empty
    std::optional<Clock::time_point> fallen_at{};  ///< the last one with fewer than the one before
  };

  std::uint64_t count_ = 0;
  Clock::time_point counted_until_{};
  RecentMaxima is_sampled_;                       ///< 1 in slots with a sample
  std::optional<Clock::time_point> last_sample_;  ///< since resume()
  std::map<kernel::Endpoint, Entry> entries_;
  std::unordered_map<std::uint64_t, Trend> trends_;  ///< by cookie
};

}  // namespace inetdiag
