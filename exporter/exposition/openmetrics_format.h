// OpenMetrics text, version 1.0.0
// (https://prometheus.io/docs/specs/om/open_metrics_spec/).
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Returns the text of counters, gauges and histograms. A counter whose
/// ClientMetric::timestamp_ms is not 0 has a sample `_created` with that time. A counter whose name
/// does not end in `_total` has the type `unknown`, as OpenMetrics requires the suffix.
std::string openmetrics_format(const std::vector<prometheus::MetricFamily>& families);

}  // namespace inetdiag
