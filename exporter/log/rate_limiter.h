#pragma once

#include <chrono>
#include <mutex>
#include <optional>

namespace inetdiag {

/// Whose turn to log comes now and then: whoever can reach the port could fill the disk otherwise.
/// For several threads.
class LogRateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds between{10};

  /// How many had no turn since the last one that had, or nothing where this one has none.
  std::optional<unsigned> try_acquire(Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  std::optional<Clock::time_point> last_;
  unsigned untold_ = 0;
};

}  // namespace inetdiag
