#include "exporter/statsd/increases.h"

namespace inetdiag::statsd {

std::optional<double> Increases::of(const std::string& counter, double value) {
  const auto [at, is_new] = known_.try_emplace(counter, Known{.told = value});
  Known& known = at->second;
  known.seen = push_;
  if (is_new) {
    return std::nullopt;
  }
  if (value < known.told) {
    known.told = 0;
  }
  return value - known.told;
}

void Increases::told(const std::string& counter, double value) { known_[counter].told = value; }

void Increases::forget_the_gone() {
  ++push_;
  std::erase_if(known_,
                [this](const auto& each) { return push_ - each.second.seen > longest_absence; });
}

}  // namespace inetdiag::statsd
