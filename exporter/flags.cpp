#include "exporter/flags.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "collectors/kernel/text.h"

namespace inetdiag {
namespace {

std::optional<double> seconds_of(std::string_view text) {
  using Unit = std::pair<std::string_view, double>;
  constexpr std::array<Unit, 3> units = {{{"ms", 0.001}, {"s", 1}, {"m", 60}}};
  for (const auto& [unit, seconds] : units) {
    if (text.ends_with(unit)) {
      const auto number = kernel::to_number<double>(text.substr(0, text.size() - unit.size()));
      return number ? std::optional(*number * seconds) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

CLI::Validator one_of(std::vector<std::string> names) {
  return {[names = std::move(names)](const std::string& text) -> std::string {
            return std::ranges::count(names, text) > 0
                       ? ""
                       : fmt::format("'{}' is none of {}", text, fmt::join(names, ", "));
          },
          ""};
}

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return {[least, most](std::string& text) -> std::string {
            const auto number = kernel::to_number<std::uint64_t>(text);
            if (!number || *number < least || *number > most) {
              return fmt::format("'{}' is not a whole number from {} to {}", text, least, most);
            }
            text = std::to_string(*number);  // CLI11 takes 010 for 8
            return "";
          },
          ""};
}

CLI::Validator time_from(double least_seconds) {
  return {[least_seconds](std::string& text) -> std::string {
            constexpr double longest_seconds = 3600;
            const auto seconds = seconds_of(text);
            // Written so that NaN is refused.
            if (!seconds || !(*seconds >= least_seconds && *seconds <= longest_seconds)) {
              return fmt::format(
                  "'{}' is not a time from {:g}s to 60m; write it with its unit, as 500ms, 5s or "
                  "1m",
                  text, least_seconds);
            }
            text = fmt::format("{}", *seconds);
            return "";
          },
          ""};
}

CLI::Validator existing_folder() {
  return {[](const std::string& text) -> std::string {
            std::error_code error;
            return std::filesystem::is_directory(text, error)
                       ? ""
                       : fmt::format("'{}' is not a directory", text);
          },
          ""};
}

}  // namespace inetdiag
