#include "exporter/exposition/openmetrics_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "exporter/exposition/text_lines.h"

namespace inetdiag {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view counter_suffix = "_total";

/// Base units of Prometheus (https://prometheus.io/docs/practices/naming/) as suffixes of names.
constexpr std::array<std::string_view, 3> unit_suffixes = {"_seconds", "_bytes", "_ratio"};

/// Returns a bound of a bucket in the canonical form of the specification: as %g, with as many
/// digits as needed, and integers with a fraction: 0.0005, 1.0, 1e+06, +Inf.
std::string canonical_number(double value) {
  if (std::isinf(value)) {
    return "+Inf";
  }
  constexpr std::size_t max_digits = 32;
  std::array<char, max_digits> digits{};
  const auto result =
      std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general);
  std::string text(digits.begin(), result.ptr);
  return text.find_first_of(".e") == std::string::npos ? text.append(".0") : text;
}

void append_descriptor(std::string& text, std::string_view keyword, std::string_view name) {
  text.append("# ").append(keyword).append(" ").append(name).append(" ");
}

void append_family(std::string& text, const MetricFamily& family) {
  const bool is_counter =
      family.type == MetricType::Counter && family.name.ends_with(counter_suffix);
  std::string_view name = family.name;
  name.remove_suffix(is_counter ? counter_suffix.size() : 0);

  append_descriptor(text, "TYPE", name);
  text.append(family.type == MetricType::Counter && !is_counter ? "unknown"
                                                                : type_name(family.type));
  text.push_back('\n');
  const auto* const unit = std::ranges::find_if(
      unit_suffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
  if (unit != unit_suffixes.end()) {
    append_descriptor(text, "UNIT", name);
    text.append(unit->substr(1)).append("\n");
  }
  append_descriptor(text, "HELP", name);
  append_escaped(text, family.help, "\\\n\"");
  text.push_back('\n');
  for (const auto& series : family.metric) {
    append_series(text, family, series, canonical_number);
    if (is_counter && series.timestamp_ms != 0) {
      constexpr double ms_per_second = 1000;
      append_sample(text, name, "_created", series.label,
                    static_cast<double>(series.timestamp_ms) / ms_per_second);
    }
  }
}

}  // namespace

std::string openmetrics_format(const std::vector<MetricFamily>& families) {
  std::string text;
  text.reserve(estimated_bytes(families));
  for (const MetricFamily& family : families) {
    append_family(text, family);
  }
  return text.append("# EOF\n");
}

}  // namespace inetdiag
