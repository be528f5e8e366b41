#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// The process_* families that every Prometheus client library has, of this process: from
/// getrusage(2), getrlimit(2) and proc(5). What cannot be read is absent.
std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace inetdiag
