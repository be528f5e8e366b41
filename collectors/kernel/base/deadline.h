#pragma once

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <utility>

namespace inetdiag::kernel {

/// Thrown where a question to the kernel is given up because its time is over.
struct DeadlineExceeded : std::runtime_error {
  DeadlineExceeded() : std::runtime_error("the deadline of the scrape passed") {}
};

/// When an answer is no longer wanted: at a point in time, or as soon as a stop is requested.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  Deadline(Clock::time_point end, std::stop_token stop) : end_(end), stop_(std::move(stop)) {}
  static Deadline in(Clock::duration time) { return {Clock::now() + time, {}}; }

  Clock::time_point end() const { return end_; }
  bool passed() const { return stop_.stop_requested() || Clock::now() >= end_; }

  /// The same, but with only a part of the time that is left.
  Deadline share(double part) const {
    const auto left = end_ - Clock::now();
    return {Clock::now() + std::chrono::duration_cast<Clock::duration>(left * part), stop_};
  }

  /// Throws DeadlineExceeded once the deadline has passed.
  void check() const {
    if (passed()) {
      throw DeadlineExceeded();
    }
  }

 private:
  Clock::time_point end_;
  std::stop_token stop_;
};

}  // namespace inetdiag::kernel
