#include "collectors/support/recent_maxima.h"

#include <algorithm>

namespace inetdiag {
namespace {

constexpr auto slot_count = static_cast<std::int64_t>(RecentMaxima::slots);

std::int64_t slot_of(RecentMaxima::Clock::time_point time) {
  return time.time_since_epoch() / RecentMaxima::slot_length;
}

std::size_t index_of(std::int64_t slot) { return static_cast<std::size_t>(slot % slot_count); }

}  // namespace

void RecentMaxima::add(Clock::time_point now, double value) {
  const std::int64_t slot = slot_of(now);
  for (auto skipped = std::max(latest_ + 1, slot - slot_count + 1); skipped <= slot; ++skipped) {
    maxima_.at(index_of(std::max<std::int64_t>(skipped, 0))) = 0;
  }
  latest_ = std::max(latest_, slot);
  double& maximum = maxima_.at(index_of(slot));
  maximum = std::max(maximum, value);
}

std::array<double, RecentMaxima::slots> RecentMaxima::by_slot(Clock::time_point now) const {
  std::array<double, slots> maxima{};
  const std::int64_t oldest = slot_of(now) - slot_count + 1;
  for (std::int64_t i = 0; i < slot_count; ++i) {
    const std::int64_t slot = oldest + i;
    if (slot >= 0 && slot <= latest_ && slot > latest_ - slot_count) {
      maxima.at(static_cast<std::size_t>(i)) = maxima_.at(index_of(slot));
    }
  }
  return maxima;
}

}  // namespace inetdiag
