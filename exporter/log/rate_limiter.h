#pragma once

#include <chrono>
#include <mutex>
#include <optional>

namespace inetdiag {

/// Limits the rate of log messages that any client can cause: clients must not fill the disk.
/// Thread-safe.
class LogRateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds interval{10};

  /// Returns the number of messages suppressed since the last one, or nothing if this one must be
  /// suppressed.
  std::optional<unsigned> try_acquire(Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  std::optional<Clock::time_point> last_;
  unsigned suppressed_ = 0;
};

}  // namespace inetdiag
