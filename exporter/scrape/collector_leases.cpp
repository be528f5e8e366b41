#include "exporter/scrape/collector_leases.h"

#include <algorithm>
#include <chrono>

namespace inetdiag {
namespace {

// A collector counts as stuck if it is still running this long after its deadline.
constexpr std::chrono::seconds grace{1};

}  // namespace

CollectorLeases::Lease CollectorLeases::acquire(std::size_t collector,
                                                const kernel::Deadline& deadline) {
  std::unique_lock lock(mutex_);
  auto& busy_until = busy_until_[collector];
  while (busy_until) {
    const Clock::time_point end = std::min(*busy_until, deadline.end());
    if (Clock::now() >= end || deadline.has_passed()) {
      return {};
    }
    released_.wait_until(lock, end);
  }
  busy_until = deadline.end() + grace;
  return {this, Release{collector}};
}

void CollectorLeases::release(std::size_t collector) {
  const std::scoped_lock lock(mutex_);
  busy_until_[collector].reset();
  released_.notify_all();
}

void CollectorLeases::wake() {
  const std::scoped_lock lock(mutex_);
  released_.notify_all();
}

}  // namespace inetdiag
