// What a collector lets a user choose, told without a word about where the choice comes from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace inetdiag {

struct SettingSpec {
  std::string_view name;         ///< `max`: the collector's own name is put before it
  std::string_view placeholder;  ///< what the value is, for the help: `N`, `REGEX`
  std::string_view help;
  std::string_view fallback;  ///< the value where the user chose none; empty for none
  bool repeatable = false;
};

/// A setting, and what is wrong with its value.
struct SettingError : std::invalid_argument {
  SettingError(std::string_view setting, const std::string& problem)
      : std::invalid_argument(problem), name(setting) {}
  std::string name;
};

/// The values chosen for one collector, by the names of its SettingSpecs.
class Settings {
 public:
  void add(std::string_view name, std::string value) {
    values_[std::string(name)].push_back(std::move(value));
  }

  /// All values of a repeatable setting.
  std::vector<std::string> list(std::string_view name) const;

  /// A whole number; throws SettingError.
  std::uint64_t number(std::string_view name, std::uint64_t least, std::uint64_t most) const;

  /// A percentage, with or without its sign, as a share from 0 to 1; throws SettingError.
  double share(std::string_view name) const;

  /// An ECMAScript regular expression, absent where the value is empty; throws SettingError.
  std::optional<std::regex> regex(std::string_view name) const;

 private:
  std::string last(std::string_view name) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace inetdiag
