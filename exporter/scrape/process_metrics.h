#pragma once

#include <optional>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// The process_* families of the Prometheus client libraries, for this process: from getrusage(2),
/// getrlimit(2) and proc(5). Omits values that cannot be read.
class ProcessMetrics {
 public:
  ProcessMetrics();

  std::vector<prometheus::MetricFamily> collect() const;

 private:
  std::optional<double> start_time_;
};

}  // namespace inetdiag
