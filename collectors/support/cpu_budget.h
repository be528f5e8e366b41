#pragma once

#include <chrono>

namespace inetdiag {

/// Delays an expensive operation so that its average share of one CPU stays within a budget.
class CpuBudget {
 public:
  using Clock = std::chrono::steady_clock;
  using CpuTime = std::chrono::duration<double>;

  /// `share` of one CPU, from 0 (never) to 1 (always).
  explicit CpuBudget(double share) : share_(share) {}

  bool is_zero() const { return share_ <= 0; }
  bool allows(Clock::time_point now) const { return !is_zero() && now >= next_; }

  /// Returns when the next operation is allowed.
  Clock::time_point next() const { return next_; }

  /// Charges an operation that began at `begin`: the next one is allowed cost / share later.
  void spend(Clock::time_point begin, CpuTime cost) {
    if (!is_zero() && share_ < 1) {
      next_ = begin + std::chrono::ceil<Clock::duration>(cost / share_);
    }
  }

 private:
  double share_;
  Clock::time_point next_{};
};

}  // namespace inetdiag
