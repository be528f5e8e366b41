#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag::statsd {

/// Counts datagrams and errors of all pushes.
struct PushCounters {
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> errors = 0;

  std::vector<prometheus::MetricFamily> families() const;
};

}  // namespace inetdiag::statsd
