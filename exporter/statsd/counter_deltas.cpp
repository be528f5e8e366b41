#include "exporter/statsd/counter_deltas.h"

namespace inetdiag::statsd {

double CounterDeltas::of(const std::string& counter, double value) {
  Known& known = known_.try_emplace(counter, Known{.value = value}).first->second;
  known.pending += value < known.value ? value : value - known.value;
  known.value = value;
  known.seen = push_;
  return known.pending;
}

void CounterDeltas::acknowledge(const std::string& counter, double increase) {
  if (const auto known = known_.find(counter); known != known_.end()) {
    known->second.pending -= increase;
  }
}

void CounterDeltas::evict_absent() {
  ++push_;
  std::erase_if(known_,
                [this](const auto& each) { return push_ - each.second.seen > max_absence; });
}

}  // namespace inetdiag::statsd
