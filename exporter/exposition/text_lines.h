// What the text format of Prometheus and OpenMetrics have in common.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace inetdiag {

/// Appends `value` with a backslash before each character of `special`, and \n for a newline.
void append_escaped(std::string& text, std::string_view value, std::string_view special);

/// Appends the shortest number that is parsed as the same double; an integer has no fraction.
void append_sample_value(std::string& text, double value);

/// Appends a line. `bound` is the label `le` of a bucket.
void append_sample(std::string& text, std::string_view name, std::string_view suffix,
                   const std::vector<prometheus::ClientMetric::Label>& labels, double value,
                   const std::optional<std::string>& bound = {});

/// Appends the lines of one series. `format_bound` returns the label `le` of a bucket.
void append_series(std::string& text, const prometheus::MetricFamily& family,
                   const prometheus::ClientMetric& series,
                   std::string (*format_bound)(double bound));

/// Returns `counter`, `gauge` or `histogram`, the only types that this program has.
std::string_view type_name(prometheus::MetricType type);

/// Returns the approximate size of the text of these families, to avoid reallocations.
std::size_t estimated_bytes(const std::vector<prometheus::MetricFamily>& families);

}  // namespace inetdiag
