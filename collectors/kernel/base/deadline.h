#pragma once

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <utility>

namespace inetdiag::kernel {

struct DeadlineExceeded : std::runtime_error {
  DeadlineExceeded() : std::runtime_error("timed out (scrape deadline)") {}
};

/// A point in time, or an earlier stop request, after which a result is no longer needed.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  Deadline(Clock::time_point end, std::stop_token stop) : end_(end), stop_(std::move(stop)) {}
  static Deadline in(Clock::duration time) { return {Clock::now() + time, {}}; }

  Clock::time_point end() const { return end_; }
  bool has_passed() const { return stop_.stop_requested() || Clock::now() >= end_; }

  /// Returns an earlier deadline, at `fraction` of the remaining time, with the same stop token.
  Deadline share(double fraction) const {
    const auto now = Clock::now();
    return {now + std::chrono::duration_cast<Clock::duration>((end_ - now) * fraction), stop_};
  }

  /// Throws DeadlineExceeded once the deadline has passed.
  void check() const {
    if (has_passed()) {
      throw DeadlineExceeded();
    }
  }

 private:
  Clock::time_point end_;
  std::stop_token stop_;
};

}  // namespace inetdiag::kernel
