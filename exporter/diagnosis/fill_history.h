#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <vector>

#include "exporter/diagnosis/queue_fill.h"

namespace inetdiag::diagnosis {

/// How full queues were in the last minute, or in the last 30 intervals if that is longer. Keeps
/// queues only that had an entry in one of them, and at most `max_queues`, the fullest.
class FillHistory {
 public:
  static constexpr std::size_t slots = 30;

  FillHistory(double interval_seconds, std::size_t max_queues);

  /// Expects a call each `interval_seconds`. A slot holds the maximum of its calls.
  void add(const std::vector<QueueFill>& queues);

  /// Returns the ratios since the first add(), at most `slots`, the oldest first.
  std::vector<double> of(const QueueKey& key) const;
  /// Returns the maximum of of().
  double peak(const QueueKey& key) const;
  std::size_t size() const { return ratios_.size(); }
  double slot_seconds() const { return interval_seconds_ * static_cast<double>(samples_per_slot_); }

 private:
  void start_slot();
  void remove_excess();

  double interval_seconds_;
  std::size_t samples_per_slot_ = 1;
  std::size_t max_queues_;
  std::size_t samples_in_slot_ = 0;
  std::size_t used_slots_ = 0;
  std::map<QueueKey, std::deque<double>> ratios_;  ///< `used_slots_` each
};

}  // namespace inetdiag::diagnosis
