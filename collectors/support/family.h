// How collectors build what prometheus-cpp calls a MetricFamily.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// An empty family. `help` names the kernel source and says what the value means.
prometheus::MetricFamily gauge_family(std::string_view name, std::string_view help);
prometheus::MetricFamily counter_family(std::string_view name, std::string_view help);

/// Adds one series. Label values may be any bytes: what is not UTF-8 is replaced, since one such
/// byte makes Prometheus refuse the whole page; labels with an empty value are left out.
void add_series(prometheus::MetricFamily& family, Labels labels, double value);

/// A gauge of a single series without labels.
prometheus::MetricFamily single_gauge(std::string_view name, std::string_view help, double value);

/// `text` with each byte that is not part of valid UTF-8 (RFC 3629) replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace inetdiag
