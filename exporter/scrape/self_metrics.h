#pragma once

#include <functional>
#include <vector>

#include <prometheus/metric_family.h>

#include "exporter/statsd/push_counters.h"

namespace inetdiag {

/// What the exporter tells of itself beside its collectors: what it was built from, process_* where
/// asked for, and what became of the pushes where there are some.
std::function<std::vector<prometheus::MetricFamily>()> self_metrics(
    bool with_process, const statsd::PushCounters* pushes);

}  // namespace inetdiag
