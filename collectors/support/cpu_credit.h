#pragma once

#include <algorithm>
#include <chrono>

namespace inetdiag {

/// CPU time that may be spent on something in bursts, as long as its share of one CPU stays within
/// a budget: unspent credit is kept for a minute.
class CpuCredit {
 public:
  using Clock = std::chrono::steady_clock;
  using CpuTime = std::chrono::duration<double>;

  /// `share` of one CPU, from 0 (never) to 1 (always).
  explicit CpuCredit(double share, Clock::time_point now)
      : share_(share), credit_(longest * share), last_(now) {}

  bool is_unlimited() const { return share_ >= 1; }
  bool is_positive(Clock::time_point now) {
    credit_ = std::min<CpuTime>(credit_ + (now - last_) * share_, longest * share_);
    last_ = now;
    return share_ > 0 && (is_unlimited() || credit_ > CpuTime::zero());
  }
  /// May go below zero: the next one then waits until it is paid for.
  void spend(CpuTime cost) { credit_ -= cost; }

 private:
  static constexpr CpuTime longest = std::chrono::minutes(1);

  double share_;
  CpuTime credit_;
  Clock::time_point last_;
};

}  // namespace inetdiag
