#include "exporter/statsd/increases.h"

namespace inetdiag::statsd {

double Increases::of(const std::string& counter, double value) {
  Known& known = known_.try_emplace(counter, Known{.value = value}).first->second;
  known.untold += value < known.value ? value : value - known.value;
  known.value = value;
  known.seen = push_;
  return known.untold;
}

void Increases::told(const std::string& counter, double increase) {
  if (const auto known = known_.find(counter); known != known_.end()) {
    known->second.untold -= increase;
  }
}

void Increases::forget_the_gone() {
  ++push_;
  std::erase_if(known_,
                [this](const auto& each) { return push_ - each.second.seen > longest_absence; });
}

}  // namespace inetdiag::statsd
