#pragma once

#include <functional>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Returns a source of inetdiag_exporter_build_info and, with `has_process_metrics`, of process_*.
std::function<std::vector<prometheus::MetricFamily>()> self_metrics(bool has_process_metrics);

}  // namespace inetdiag
