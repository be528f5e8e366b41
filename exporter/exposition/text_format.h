// The text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Returns the text of counters, gauges and histograms. The serializer of
/// prometheus-cpp writes through an ostream and took an eighth of the CPU time of a scrape
/// (tests/bench). The output is the same except for fractions, which are the shortest exact ones.
std::string text_format(const std::vector<prometheus::MetricFamily>& families);

}  // namespace inetdiag
