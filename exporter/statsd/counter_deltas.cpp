#include "exporter/statsd/counter_deltas.h"

namespace inetdiag::statsd {

double CounterDeltas::pending(const std::string& counter, double value) {
  Counter& known = counters_.try_emplace(counter, Counter{.value = value}).first->second;
  known.pending += value < known.value ? value : value - known.value;
  known.value = value;
  known.last_seen = push_;
  return known.pending;
}

void CounterDeltas::acknowledge(const std::string& counter, double increase) {
  if (const auto known = counters_.find(counter); known != counters_.end()) {
    known->second.pending -= increase;
  }
}

void CounterDeltas::evict_absent() {
  ++push_;
  std::erase_if(counters_,
                [this](const auto& entry) { return push_ - entry.second.last_seen > max_absence; });
}

}  // namespace inetdiag::statsd
