// The highest values of the last five minutes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace inetdiag {

/// The maximum of a value in each of the last 10-second slots: those of five minutes and the
/// current one. Needs constant time and memory.
class RecentMaxima {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds slot_length{10};
  static constexpr std::size_t slots = 31;

  /// Adds a value, which is not negative.
  void add(Clock::time_point now, double value);

  /// Returns the maximum of each slot, the oldest first; 0 for a slot without a value.
  std::array<double, slots> by_slot(Clock::time_point now) const;

 private:
  std::int64_t latest_ = -1;            ///< number of the slot of the last add()
  std::array<double, slots> maxima_{};  ///< by number of the slot, modulo `slots`
};

}  // namespace inetdiag
