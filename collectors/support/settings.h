// The settings of a collector. Collectors do not know that they come from flags.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/kernel/base/regex.h"

namespace inetdiag {

/// The default of a setting in other network namespaces. The flag --netns.COLLECTOR.SETTING
/// overrides it.
struct NetnsDefault {
  std::string_view value;
  std::string_view description;  ///< of the value, for the help
};

struct SettingSpec {
  std::string_view name;         ///< `max`, for --collector.NAME.max
  std::string_view placeholder;  ///< of the value in the help: `N`, `REGEX`
  std::string_view help;
  std::string_view default_value;  ///< empty for none
  bool is_repeatable = false;
  std::optional<NetnsDefault> netns_default{};  ///< std::nullopt: the same in every namespace
};

/// An invalid value of a setting.
struct SettingError : std::invalid_argument {
  SettingError(std::string_view setting, const std::string& problem)
      : std::invalid_argument(problem), name(setting) {}
  std::string name;  ///< of the SettingSpec
};

/// The values of one collector's settings, by SettingSpec::name. The functions that parse a value
/// throw SettingError.
class Settings {
 public:
  void add(std::string_view name, std::string value) {
    values_[std::string(name)].push_back(std::move(value));
  }

  /// Returns all values of a repeatable setting.
  std::vector<std::string> list(std::string_view name) const;

  std::uint64_t whole_number(std::string_view name, std::uint64_t min, std::uint64_t max) const;

  /// Returns a percentage as a ratio from 0 to 1.
  double percentage(std::string_view name) const;

  /// Returns whether the value is `on`, and not `off`.
  bool is_on(std::string_view name) const;

  /// Returns zero for 0, or a duration from `min` to an hour.
  std::chrono::duration<double> duration_or_zero(std::string_view name,
                                                 std::chrono::milliseconds min) const;

  /// Returns std::nullopt if the value is empty.
  std::optional<kernel::Regex> regex(std::string_view name) const;

 private:
  /// Returns the result of `parse` for the value. Turns its std::invalid_argument into a
  /// SettingError.
  template <typename Parse>
  auto parsed(std::string_view name, Parse parse) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace inetdiag
