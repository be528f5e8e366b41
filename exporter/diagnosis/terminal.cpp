#include "exporter/diagnosis/terminal.h"

#include <algorithm>
#include <array>

namespace inetdiag::diagnosis {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Returns the bytes of the first code point. `utf8` must not be empty.
std::string_view first_code_point(std::string_view utf8) {
  constexpr auto first_lead_byte = 0xC0U;
  std::size_t length = 1;
  const bool is_sequence = static_cast<unsigned char>(utf8.front()) >= first_lead_byte;
  while (is_sequence && length < utf8.size() && is_continuation(utf8[length])) {
    ++length;
  }
  return utf8.substr(0, length);
}

bool is_control(std::string_view code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(code_point[i]); };
  if (code_point.size() == 1) {
    return byte(0) < 0x20 || byte(0) >= 0x7F;
  }
  if (code_point.size() == 2) {
    return (byte(0) == 0xC2 && byte(1) < 0xA0) || code_point == "\xD8\x9C";
  }
  // U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
  return code_point.size() == 3 && byte(0) == 0xE2 &&
         ((byte(1) == 0x80 &&
           (byte(2) == 0x8E || byte(2) == 0x8F || (byte(2) >= 0xA8 && byte(2) <= 0xAE))) ||
          (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
}

}  // namespace

std::string replace_controls(std::string_view utf8) {
  std::string text;
  while (!utf8.empty()) {
    const std::string_view code_point = first_code_point(utf8);
    text.append(is_control(code_point) ? "?" : code_point);
    utf8.remove_prefix(code_point.size());
  }
  return text;
}

std::size_t display_width(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return !is_continuation(c); }));
}

std::string truncate(std::string_view utf8, std::size_t width) {
  if (display_width(utf8) <= width) {
    return std::string(utf8);
  }
  std::string text;
  for (std::size_t i = 0; i + 1 < width; ++i) {
    const std::string_view code_point = first_code_point(utf8);
    text.append(code_point);
    utf8.remove_prefix(code_point.size());
  }
  return text + "~";
}

std::string wrap(std::string_view prefix, std::string_view text, std::size_t indent,
                 std::size_t columns) {
  std::string lines(prefix);
  std::size_t width = display_width(prefix);
  bool is_line_start = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t needed = display_width(word) + (is_line_start ? 0 : 1);
    if (!is_line_start && width + needed > columns) {
      lines.append("\n").append(indent, ' ');
      width = indent;
      is_line_start = true;
    }
    if (!is_line_start) {
      lines.push_back(' ');
      ++width;
    }
    lines.append(word);
    width += display_width(word);
    is_line_start = false;
  }
  return lines + "\n";
}

}  // namespace inetdiag::diagnosis
