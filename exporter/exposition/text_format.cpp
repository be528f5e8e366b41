#include "exporter/exposition/text_format.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "exporter/exposition/exact_integer.h"

namespace inetdiag {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Estimates that avoid most reallocations.
constexpr std::size_t family_bytes = 256;
constexpr std::size_t series_bytes = 128;

std::size_t estimate_bytes(const std::vector<MetricFamily>& families) {
  std::size_t bytes = 0;
  for (const MetricFamily& family : families) {
    bytes += family_bytes + family.metric.size() * series_bytes;
  }
  return bytes;
}

void append_escaped(std::string& text, std::string_view value, std::string_view special) {
  while (true) {
    const std::size_t length = value.find_first_of(special);
    text.append(value.substr(0, length));
    if (length == std::string_view::npos) {
      return;
    }
    text.push_back('\\');
    text.push_back(value[length] == '\n' ? 'n' : value[length]);
    value.remove_prefix(length + 1);
  }
}

template <typename Number>
void append_digits(std::string& text, Number number) {
  constexpr std::size_t max_digits = 32;
  std::array<char, max_digits> digits{};
  const auto result = std::to_chars(digits.begin(), digits.end(), number);
  text.append(digits.begin(), result.ptr);
}

void append_value(std::string& text, double value) {
  if (std::isnan(value)) {
    text.append("NaN");
  } else if (std::isinf(value)) {
    text.append(value > 0 ? "+Inf" : "-Inf");
  } else if (is_exact_integer(value)) {
    append_digits(text, static_cast<std::int64_t>(value));
  } else {
    append_digits(text, value);
  }
}

/// `bound` is the label `le` of a bucket.
void append_labels(std::string& text, const std::vector<prometheus::ClientMetric::Label>& labels,
                   std::optional<double> bound = {}) {
  char separator = '{';
  for (const auto& label : labels) {
    text.push_back(separator);
    text.append(label.name).append("=\"");
    append_escaped(text, label.value, "\\\n\"");
    text.push_back('"');
    separator = ',';
  }
  if (bound) {
    text.push_back(separator);
    text.append("le=\"");
    append_value(text, *bound);
    text.push_back('"');
    separator = ',';
  }
  if (separator == ',') {
    text.push_back('}');
  }
}

void append_histogram(std::string& text, const std::string& name,
                      const prometheus::ClientMetric& metric) {
  const auto& histogram = metric.histogram;
  const auto append = [&](std::string_view suffix, std::optional<double> bound, double value) {
    text.append(name).append(suffix);
    append_labels(text, metric.label, bound);
    text.push_back(' ');
    append_value(text, value);
    text.push_back('\n');
  };
  append("_count", {}, static_cast<double>(histogram.sample_count));
  append("_sum", {}, histogram.sample_sum);
  for (const auto& bucket : histogram.bucket) {
    append("_bucket", bucket.upper_bound, static_cast<double>(bucket.cumulative_count));
  }
}

std::string_view type_name(MetricType type) {
  return type == MetricType::Histogram ? "histogram"
         : type == MetricType::Counter ? "counter"
                                       : "gauge";
}

void append_family(std::string& text, const MetricFamily& family) {
  text.append("# HELP ").append(family.name).append(" ");
  append_escaped(text, family.help, "\\\n");
  text.append("\n# TYPE ").append(family.name).append(" ");
  text.append(type_name(family.type)).append("\n");
  for (const auto& metric : family.metric) {
    if (family.type == MetricType::Histogram) {
      append_histogram(text, family.name, metric);
      continue;
    }
    text.append(family.name);
    append_labels(text, metric.label);
    text.push_back(' ');
    append_value(text,
                 family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
    text.push_back('\n');
  }
}

}  // namespace

std::string text_format(const std::vector<MetricFamily>& families) {
  std::string text;
  text.reserve(estimate_bytes(families));
  for (const MetricFamily& family : families) {
    append_family(text, family);
  }
  return text;
}

}  // namespace inetdiag
