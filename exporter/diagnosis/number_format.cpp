#include "exporter/diagnosis/number_format.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace inetdiag::diagnosis {

std::string format_number(double value) {
  return value == std::trunc(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
}

std::string format_short_number(double value, std::size_t width) {
  constexpr std::array<std::string_view, 5> units = {"", "k", "M", "G", "T"};
  constexpr double step = 1000;
  constexpr double one_digit = 10;
  std::string text = format_number(value);
  for (std::size_t unit = 1; text.size() > width && unit < units.size(); ++unit) {
    value = std::floor(value / step * one_digit) / one_digit;
    text = fmt::format("{:.1f}{}", value, units.at(unit));
    if (text.size() > width) {
      text = fmt::format("{:.0f}{}", std::floor(value), units.at(unit));
    }
  }
  return text;
}

std::string format_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  constexpr double step = 1024;
  std::size_t unit = 0;
  while (std::abs(bytes) >= step && unit + 1 < units.size()) {
    bytes /= step;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes)
                   : fmt::format("{:.1f} {}", bytes, units.at(unit));
}

std::string format_value(std::string_view name, double value) {
  return name.ends_with("_bytes") ? format_bytes(value) : format_number(value);
}

std::string format_duration(double seconds) {
  constexpr double minute = 60;
  constexpr double one_digit_below = 10;
  if (seconds >= 2 * minute) {
    return fmt::format("{:.0f} min", seconds / minute);
  }
  return seconds < one_digit_below ? fmt::format("{:.1f} s", seconds)
                                   : fmt::format("{:.0f} s", seconds);
}

std::string format_percent(double ratio) {
  constexpr double percent = 100;
  return fmt::format("{:.0f} %", std::floor(ratio * percent));
}

}  // namespace inetdiag::diagnosis
