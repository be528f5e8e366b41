#include "collectors/support/family.h"

#include <algorithm>
#include <cstdint>

namespace inetdiag {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(std::string_view name, std::string_view help, MetricType type) {
  return {std::string(name), std::string(help), type, {}};
}

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

/// Returns the length of the UTF-8 sequence at the start of `text`, or 0 if it is invalid (RFC
/// 3629, section 4).
std::size_t sequence_length(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  const std::uint8_t second = byte_at(text, 1);
  const auto is_continuation = [&](std::size_t at) { return (byte_at(text, at) & 0xC0U) == 0x80U; };
  if (first == 0) {
    return 0;  // valid UTF-8, but Prometheus' lexer ends at NUL
  }
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return is_continuation(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second >= 0xA0;
    return !overlong && !surrogate && is_continuation(1) && is_continuation(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool too_large = first == 0xF4 && second >= 0x90;
    return !overlong && !too_large && is_continuation(1) && is_continuation(2) && is_continuation(3)
               ? 4
               : 0;
  }
  return 0;
}

/// Whether valid_utf8() returns the same text because all of it is ASCII without NUL.
bool is_plain_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte != 0 && byte < 0x80;
  });
}

}  // namespace

MetricFamily gauge_family(std::string_view name, std::string_view help) {
  return family(name, help, MetricType::Gauge);
}

MetricFamily counter_family(std::string_view name, std::string_view help) {
  return family(name, help, MetricType::Counter);
}

void add_series(MetricFamily& family, Labels labels, double value, CreatedTime created) {
  std::erase_if(labels, [](const auto& label) { return label.value.empty(); });
  for (auto& label : labels) {
    if (!is_plain_ascii(label.value)) {
      label.value = valid_utf8(label.value);
    }
  }
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
    if (created) {
      metric.timestamp_ms =
          std::chrono::floor<std::chrono::milliseconds>(created->time_since_epoch()).count();
    }
  } else {
    metric.gauge.value = value;
  }
}

MetricFamily single_gauge(std::string_view name, std::string_view help, double value) {
  MetricFamily gauge = gauge_family(name, help);
  add_series(gauge, {}, value);
  return gauge;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      valid.append("\xEF\xBF\xBD");
      text.remove_prefix(1);
    } else {
      valid.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return valid;
}

}  // namespace inetdiag
