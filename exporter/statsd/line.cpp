#include "exporter/statsd/line.h"

#include <array>
#include <charconv>

namespace inetdiag::statsd {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Returns the characters that a label value may contain besides letters and digits. A dot
/// separates parts of a name; a colon ends everything before the value.
std::string_view allowed_punctuation(TagFormat tags) {
  switch (tags) {
    case TagFormat::dogstatsd:
      return "_-:./";
    case TagFormat::influxdb:
      return "_-./";
    default:
      return "_-";
  }
}

void append_sanitized(std::string& text, std::string_view value, TagFormat tags) {
  for (const char c : value) {
    const bool is_allowed =
        is_letter_or_digit(c) || allowed_punctuation(tags).find(c) != std::string_view::npos;
    text.push_back(is_allowed ? c : '_');
  }
}

/// A line without its value.
struct Frame {
  std::string prefix;
  std::string suffix;
};

Frame make_frame(const Style& style, std::string_view name, const Labels& labels) {
  Frame frame;
  if (!style.prefix.empty()) {
    frame.prefix.append(style.prefix).append(".");
  }
  frame.prefix.append(name);
  for (const auto& label : labels) {
    switch (style.tags) {
      case TagFormat::none:
        frame.prefix.append(".").append(label.name).append(".");
        append_sanitized(frame.prefix, label.value, style.tags);
        break;
      case TagFormat::dogstatsd:
        frame.suffix.append(frame.suffix.empty() ? "|#" : ",").append(label.name).append(":");
        append_sanitized(frame.suffix, label.value, style.tags);
        break;
      case TagFormat::influxdb:
        frame.prefix.append(",").append(label.name).append("=");
        append_sanitized(frame.prefix, label.value, style.tags);
        break;
    }
  }
  return frame;
}

/// Appends the value without an exponent, which not every server can parse.
void append_value(std::string& text, double value) {
  constexpr std::size_t max_digits = 400;  // the smallest double has 324 decimals
  std::array<char, max_digits> digits{};
  const auto result = std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed);
  text.append(digits.begin(), result.ptr);
}

std::string format_line(const Frame& frame, double value, std::string_view type) {
  std::string text = frame.prefix;
  text.push_back(':');
  append_value(text, value);
  return text.append(type).append(frame.suffix);
}

}  // namespace

std::string format_gauge(const Style& style, std::string_view name, const Labels& labels,
                         double value) {
  const Frame frame = make_frame(style, name, labels);
  const bool is_relative = value < 0 && style.tags != TagFormat::dogstatsd;
  return (is_relative ? format_line(frame, 0, "|g") + "\n" : "") + format_line(frame, value, "|g");
}

std::string format_counter(const Style& style, std::string_view name, const Labels& labels,
                           double increase) {
  return format_line(make_frame(style, name, labels), increase, "|c");
}

}  // namespace inetdiag::statsd
