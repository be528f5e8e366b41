#include "exporter/exposition/text_lines.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "exporter/exposition/exact_integer.h"

namespace inetdiag {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

template <typename Number>
void append_digits(std::string& text, Number number) {
  constexpr std::size_t max_digits = 32;
  std::array<char, max_digits> digits{};
  const auto result = std::to_chars(digits.begin(), digits.end(), number);
  text.append(digits.begin(), result.ptr);
}

void append_labels(std::string& text, const std::vector<prometheus::ClientMetric::Label>& labels,
                   const std::optional<std::string>& bound) {
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
    text.append("le=\"").append(*bound).append("\"");
    separator = ',';
  }
  if (separator == ',') {
    text.push_back('}');
  }
}

}  // namespace

void append_escaped(std::string& text, std::string_view value, std::string_view special) {
  // find_first_of() takes a call for each character, this one for each special character.
  const bool is_plain = std::ranges::none_of(
      special, [value](char c) { return value.find(c) != std::string_view::npos; });
  if (is_plain) {
    text.append(value);
    return;
  }
  for (const char c : value) {
    if (special.find(c) == std::string_view::npos) {
      text.push_back(c);
    } else {
      text.push_back('\\');
      text.push_back(c == '\n' ? 'n' : c);
    }
  }
}

void append_sample_value(std::string& text, double value) {
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

void append_sample(std::string& text, std::string_view name, std::string_view suffix,
                   const std::vector<prometheus::ClientMetric::Label>& labels, double value,
                   const std::optional<std::string>& bound) {
  text.append(name).append(suffix);
  append_labels(text, labels, bound);
  text.push_back(' ');
  append_sample_value(text, value);
  text.push_back('\n');
}

void append_series(std::string& text, const MetricFamily& family,
                   const prometheus::ClientMetric& series,
                   std::string (*format_bound)(double bound)) {
  if (family.type != MetricType::Histogram) {
    append_sample(text, family.name, "", series.label,
                  family.type == MetricType::Counter ? series.counter.value : series.gauge.value);
    return;
  }
  const auto& histogram = series.histogram;
  append_sample(text, family.name, "_count", series.label,
                static_cast<double>(histogram.sample_count));
  append_sample(text, family.name, "_sum", series.label, histogram.sample_sum);
  for (const auto& bucket : histogram.bucket) {
    append_sample(text, family.name, "_bucket", series.label,
                  static_cast<double>(bucket.cumulative_count), format_bound(bucket.upper_bound));
  }
}

std::string_view type_name(MetricType type) {
  return type == MetricType::Histogram ? "histogram"
         : type == MetricType::Counter ? "counter"
                                       : "gauge";
}

std::size_t estimated_bytes(const std::vector<MetricFamily>& families) {
  constexpr std::size_t family_bytes = 256;
  constexpr std::size_t series_bytes = 128;
  std::size_t bytes = 0;
  for (const MetricFamily& family : families) {
    bytes += family_bytes + family.metric.size() * series_bytes;
  }
  return bytes;
}

}  // namespace inetdiag
