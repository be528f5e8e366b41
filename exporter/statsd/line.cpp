#include "exporter/statsd/line.h"

#include <array>
#include <charconv>

namespace inetdiag::statsd {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// What a value may hold besides letters and digits: a dot parts names, a colon ends what stands
/// before the figure.
std::string_view allowed(TagFormat tags) {
  switch (tags) {
    case TagFormat::dogstatsd:
      return "_-:./";
    case TagFormat::influxdb:
      return "_-./";
    default:
      return "_-";
  }
}

void append_sanitised(std::string& text, std::string_view value, TagFormat tags) {
  for (const char c : value) {
    text.push_back(is_letter_or_digit(c) || allowed(tags).find(c) != std::string_view::npos ? c
                                                                                            : '_');
  }
}

/// What stands before the figure, and what stands behind it.
struct Frame {
  std::string before;
  std::string behind;
};

Frame frame_of(const Style& style, std::string_view name, const Labels& labels) {
  Frame frame;
  if (!style.prefix.empty()) {
    frame.before.append(style.prefix).append(".");
  }
  frame.before.append(name);
  for (const auto& label : labels) {
    switch (style.tags) {
      case TagFormat::none:
        frame.before.append(".").append(label.name).append(".");
        append_sanitised(frame.before, label.value, style.tags);
        break;
      case TagFormat::dogstatsd:
        frame.behind.append(frame.behind.empty() ? "|#" : ",").append(label.name).append(":");
        append_sanitised(frame.behind, label.value, style.tags);
        break;
      case TagFormat::influxdb:
        frame.before.append(",").append(label.name).append("=");
        append_sanitised(frame.before, label.value, style.tags);
        break;
    }
  }
  return frame;
}

/// Without an exponent, which not every listener reads.
void append_figure(std::string& text, double value) {
  constexpr std::size_t longest = 400;  // the smallest fraction has 324 digits behind the point
  std::array<char, longest> digits{};
  const auto result = std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed);
  text.append(digits.begin(), result.ptr);
}

std::string line(const Frame& frame, double value, std::string_view type) {
  std::string text = frame.before;
  text.push_back(':');
  append_figure(text, value);
  return text.append(type).append(frame.behind);
}

}  // namespace

std::string gauge(const Style& style, std::string_view name, const Labels& labels, double value) {
  const Frame frame = frame_of(style, name, labels);
  const bool is_change = value < 0 && style.tags != TagFormat::dogstatsd;
  return (is_change ? line(frame, 0, "|g") + "\n" : "") + line(frame, value, "|g");
}

std::string counter(const Style& style, std::string_view name, const Labels& labels,
                    double increase) {
  return line(frame_of(style, name, labels), increase, "|c");
}

}  // namespace inetdiag::statsd
