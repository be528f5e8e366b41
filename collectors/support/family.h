// Builds prometheus::MetricFamily.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// Returns a family without series. `help` is one sentence with the kernel source in parentheses.
prometheus::MetricFamily gauge_family(std::string_view name, std::string_view help);
prometheus::MetricFamily counter_family(std::string_view name, std::string_view help);

/// Adds one series. Replaces invalid UTF-8 in label values, because Prometheus would reject the
/// page. Omits labels with an empty value.
void add_series(prometheus::MetricFamily& family, Labels labels, double value);

/// Returns a gauge with one series without labels.
prometheus::MetricFamily single_gauge(std::string_view name, std::string_view help, double value);

/// Returns `text` with each byte that is not part of valid UTF-8 (RFC 3629) replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace inetdiag
