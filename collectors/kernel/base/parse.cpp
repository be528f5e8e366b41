#include "collectors/kernel/base/parse.h"

#include <array>
#include <optional>
#include <stdexcept>
#include <string>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

using Seconds = std::chrono::duration<double>;

std::invalid_argument error(std::string_view text, const std::string& problem) {
  return std::invalid_argument("'" + std::string(text) + "' is not " + problem);
}

std::optional<Seconds> to_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  // "ms" before "s", which it ends with.
  constexpr auto units = std::to_array<Unit>({{"ms", 0.001}, {"s", 1}, {"m", 60}});
  for (const Unit& unit : units) {
    if (text.ends_with(unit.name)) {
      text.remove_suffix(unit.name.size());
      const auto number = to_number<double>(text);
      return number ? std::optional(Seconds(*number * unit.seconds)) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return seconds == time ? std::to_string(seconds.count()) + "s"
                         : std::to_string(time.count()) + "ms";
}

}  // namespace

std::uint64_t parse_whole_number(std::string_view text, std::uint64_t min, std::uint64_t max) {
  const auto number = to_number<std::uint64_t>(text);
  if (!number || *number < min || *number > max) {
    throw error(text, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return *number;
}

double parse_percentage(std::string_view text) {
  std::string_view number = text;
  if (number.ends_with('%')) {
    number.remove_suffix(1);
  }
  constexpr double max = 100;
  const auto percent = to_number<double>(number);
  // NaN fails both comparisons.
  if (!percent || !(*percent >= 0 && *percent <= max)) {
    throw error(text, "a percentage from 0% to 100%");
  }
  return *percent / max;
}

Seconds parse_duration(std::string_view text, std::chrono::milliseconds min) {
  constexpr auto max = std::chrono::minutes(60);
  const auto duration = to_duration(text);
  // NaN fails both comparisons.
  if (!duration || !(*duration >= min && *duration <= max)) {
    throw error(text, "a duration from " + duration_text(min) +
                          " to 60m; write it with a unit, as in 500ms, 5s or 1m");
  }
  return *duration;
}

}  // namespace inetdiag::kernel
