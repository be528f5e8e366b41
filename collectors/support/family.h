// Builds prometheus::MetricFamily.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// The time at which a counter was 0 ("created timestamp" of OpenMetrics); nothing if unknown.
using CreatedTime = std::optional<std::chrono::system_clock::time_point>;

/// Returns a family without series. `help` is one sentence with the kernel source in parentheses.
prometheus::MetricFamily gauge_family(std::string_view name, std::string_view help);
prometheus::MetricFamily counter_family(std::string_view name, std::string_view help);

/// Adds one series. Replaces invalid UTF-8 in label values, because Prometheus would reject the
/// page. Omits labels with an empty value. `created` applies to counters only, and is stored in
/// ClientMetric::timestamp_ms, which has no other use: samples have the time of the scrape.
void add_series(prometheus::MetricFamily& family, Labels labels, double value,
                CreatedTime created = {});

/// Returns a gauge with one series without labels.
prometheus::MetricFamily single_gauge(std::string_view name, std::string_view help, double value);

/// Returns `text` with each byte that is not part of valid UTF-8 (RFC 3629) replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace inetdiag
