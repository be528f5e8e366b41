#include "exporter/diagnosis/fill_history.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace inetdiag::diagnosis {

FillHistory::FillHistory(double interval_seconds, std::size_t max_queues)
    : interval_seconds_(interval_seconds), max_queues_(max_queues) {
  constexpr double min_slot_seconds = 2;
  samples_per_slot_ =
      static_cast<std::size_t>(std::max(1.0, std::round(min_slot_seconds / interval_seconds)));
}

void FillHistory::add(const std::vector<QueueFill>& queues) {
  if (samples_in_slot_ == 0) {
    start_slot();
  }
  samples_in_slot_ = (samples_in_slot_ + 1) % samples_per_slot_;
  for (const QueueFill& queue : queues) {
    if (queue.ratio > 0) {
      auto& ratios = ratios_.try_emplace(queue.key, used_slots_, 0.0).first->second;
      ratios.back() = std::max(ratios.back(), queue.ratio);
    }
  }
  remove_excess();
}

void FillHistory::start_slot() {
  const bool is_full = used_slots_ == slots;
  used_slots_ += is_full ? 0 : 1;
  for (auto& [key, ratios] : ratios_) {
    if (is_full) {
      ratios.pop_front();
    }
    ratios.push_back(0);
  }
  std::erase_if(ratios_, [](const auto& entry) {
    return std::ranges::all_of(entry.second, [](double ratio) { return ratio == 0; });
  });
}

void FillHistory::remove_excess() {
  if (ratios_.size() <= max_queues_) {
    return;
  }
  std::vector<std::pair<double, QueueKey>> by_ratio;
  by_ratio.reserve(ratios_.size());
  for (const auto& [key, ratios] : ratios_) {
    by_ratio.emplace_back(ratios.back(), key);
  }
  std::ranges::sort(by_ratio, std::greater<>());
  for (std::size_t i = max_queues_; i < by_ratio.size(); ++i) {
    ratios_.erase(by_ratio[i].second);
  }
}

std::vector<double> FillHistory::of(const QueueKey& key) const {
  const auto found = ratios_.find(key);
  return found == ratios_.end() ? std::vector<double>(used_slots_, 0.0)
                                : std::vector<double>(found->second.begin(), found->second.end());
}

double FillHistory::peak(const QueueKey& key) const {
  const auto found = ratios_.find(key);
  return found == ratios_.end() ? 0 : std::ranges::max(found->second);
}

}  // namespace inetdiag::diagnosis
