#pragma once

#include <algorithm>
#include <chrono>

namespace inetdiag {

/// Limits the average share of one CPU that an operation uses, and allows bursts: unspent credit is
/// kept for a minute.
class CpuCredit {
 public:
  using Clock = std::chrono::steady_clock;
  using CpuTime = std::chrono::duration<double>;

  /// `share` of one CPU, from 0 (never) to 1 (always).
  explicit CpuCredit(double share, Clock::time_point now)
      : share_(share), credit_(max_age * share), last_(now) {}

  bool is_unlimited() const { return share_ >= 1; }
  bool is_positive(Clock::time_point now) {
    credit_ = std::min<CpuTime>(credit_ + (now - last_) * share_, max_age * share_);
    last_ = now;
    return share_ > 0 && (is_unlimited() || credit_ > CpuTime::zero());
  }
  /// The credit may become negative; the next operation waits until it is positive.
  void spend(CpuTime cost) { credit_ -= cost; }

 private:
  static constexpr CpuTime max_age = std::chrono::minutes(1);

  double share_;
  CpuTime credit_;
  Clock::time_point last_;
};

}  // namespace inetdiag
