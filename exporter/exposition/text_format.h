// The text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Counters and gauges, which are all that this program has. prometheus-cpp's own serialiser writes
/// through an ostream and took an eighth of a whole scrape's CPU (tests/bench); this one writes
/// what that one does, but for fractions: the shortest text that yields the same value again.
std::string text_format(const std::vector<prometheus::MetricFamily>& families);

}  // namespace inetdiag
