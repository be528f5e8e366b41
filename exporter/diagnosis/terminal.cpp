#include "exporter/diagnosis/terminal.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace inetdiag::diagnosis {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t bytes;
  bool is_valid;
};

/// Decodes the first code point as RFC 3629 defines it. `text` must not be empty.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80U) {
    return {byte(0), 1, true};
  }
  const std::size_t bytes = byte(0) >= 0xF0U ? 4 : byte(0) >= 0xE0U ? 3 : 2;
  constexpr std::array<char32_t, 5> min_value = {0, 0, 0x80, 0x800, 0x10000};
  char32_t value = byte(0) & (0x7FU >> bytes);
  if (byte(0) < 0xC0U || byte(0) > 0xF4U || text.size() < bytes) {
    return {0, 1, false};
  }
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {0, 1, false};
    }
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  if (value < min_value.at(bytes) || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return {0, 1, false};
  }
  return {value, bytes, true};
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t size>
bool is_in(const std::array<Range, size>& ranges, char32_t value) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return range.first <= value && value <= range.last; });
}

bool is_control(char32_t value) {
  constexpr auto ranges = std::to_array<Range>({
      {0, 0x1F},
      {0x7F, 0x9F},
      {0x61C, 0x61C},  // bidi controls
      {0x200E, 0x200F},
      {0x2028, 0x202E},
      {0x2066, 0x2069},
      {0xE0000, 0xE007F},  // tags
  });
  return is_in(ranges, value);
}

// The ranges of UnicodeData.txt (Mn, Me) and EastAsianWidth.txt (W, F) that terminals agree on.
std::size_t width_of(char32_t value) {
  constexpr auto combining = std::to_array<Range>({
      {0x300, 0x36F},
      {0x483, 0x489},
      {0x591, 0x5BD},
      {0x610, 0x61A},
      {0x64B, 0x65F},
      {0x1160, 0x11FF},
      {0x1AB0, 0x1AFF},
      {0x1DC0, 0x1DFF},
      {0x200B, 0x200D},
      {0x20D0, 0x20FF},
      {0xFE00, 0xFE0F},
      {0xFE20, 0xFE2F},
      {0xFEFF, 0xFEFF},
      {0xE0100, 0xE01EF},
  });
  constexpr auto wide = std::to_array<Range>({
      {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
      {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},   {0x26BD, 0x26BE},
      {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},   {0x274C, 0x274C},
      {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},
      {0x2E80, 0x303E},   {0x3041, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97F},
      {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},
      {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
      {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
  });
  constexpr char32_t first_combining = 0x300;
  if (value < first_combining) {
    return 1;
  }
  return is_in(combining, value) ? 0 : is_in(wide, value) ? 2 : 1;
}

/// Removes the first code points of `utf8` that fit into `width` columns and returns them.
std::string_view take_columns(std::string_view& utf8, std::size_t width) {
  const std::string_view all = utf8;
  while (!utf8.empty()) {
    const CodePoint code_point = first_code_point(utf8);
    const std::size_t needed = width_of(code_point.value);
    if (needed > width) {
      break;
    }
    width -= needed;
    utf8.remove_prefix(code_point.bytes);
  }
  return all.substr(0, all.size() - utf8.size());
}

}  // namespace

std::string replace_controls(std::string_view utf8) {
  std::string text;
  while (!utf8.empty()) {
    const CodePoint code_point = first_code_point(utf8);
    const bool is_printable = code_point.is_valid && !is_control(code_point.value);
    text.append(is_printable ? utf8.substr(0, code_point.bytes) : "?");
    utf8.remove_prefix(code_point.bytes);
  }
  return text;
}

std::string replace_non_ascii(std::string_view utf8) {
  constexpr char32_t last_ascii = 0x7F;
  std::string text;
  while (!utf8.empty()) {
    const CodePoint code_point = first_code_point(utf8);
    const bool is_ascii = code_point.is_valid && code_point.value <= last_ascii;
    text.append(is_ascii ? utf8.substr(0, 1) : "?");
    utf8.remove_prefix(code_point.bytes);
  }
  return text;
}

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const CodePoint code_point = first_code_point(utf8);
    width += width_of(code_point.value);
    utf8.remove_prefix(code_point.bytes);
  }
  return width;
}

std::string truncate(std::string_view utf8, std::size_t width, std::string_view mark) {
  if (display_width(utf8) <= width) {
    return std::string(utf8);
  }
  return width == 0 ? std::string() : std::string(take_columns(utf8, width - 1)).append(mark);
}

std::string truncate_middle(std::string_view utf8, std::size_t width, std::string_view mark) {
  constexpr std::size_t min_width = 8;
  if (width < min_width || display_width(utf8) <= width) {
    return truncate(utf8, width, mark);
  }
  const std::size_t tail_width = width / 2;
  std::string text(take_columns(utf8, width - 1 - tail_width));
  while (display_width(utf8) > tail_width) {
    utf8.remove_prefix(first_code_point(utf8).bytes);
  }
  return text.append(mark).append(utf8);
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

std::string bar(double ratio, std::size_t width) {
  auto full = static_cast<std::size_t>(
      std::floor(std::clamp(ratio, 0.0, 1.0) * static_cast<double>(width)));
  if (ratio > 0) {
    full = std::min(width, std::max(full, std::size_t{1}));
  }
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

}  // namespace inetdiag::diagnosis
