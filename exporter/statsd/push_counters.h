#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag::statsd {

/// What the pushes came to so far.
struct PushCounters {
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> errors = 0;

  std::vector<prometheus::MetricFamily> families() const;
};

}  // namespace inetdiag::statsd
