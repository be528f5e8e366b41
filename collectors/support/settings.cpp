#include "collectors/support/settings.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag {

std::vector<std::string> Settings::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::string Settings::last(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.back();
}

std::uint64_t Settings::number(std::string_view name, std::uint64_t least,
                               std::uint64_t most) const {
  const std::string text = last(name);
  const auto value = kernel::to_number<std::uint64_t>(text);
  if (!value || *value < least || *value > most) {
    throw SettingError(name, "'" + text + "' is not a whole number from " + std::to_string(least) +
                                 " to " + std::to_string(most));
  }
  return *value;
}

double Settings::share(std::string_view name) const {
  const std::string text = last(name);
  std::string_view number = text;
  if (number.ends_with('%')) {
    number.remove_suffix(1);
  }
  constexpr double whole = 100;
  const auto percent = kernel::to_number<double>(number);
  // Written so that NaN is refused.
  if (!percent || !(*percent >= 0 && *percent <= whole)) {
    throw SettingError(name, "'" + text + "' is not a percentage from 0% to 100%");
  }
  return *percent / whole;
}

std::optional<std::regex> Settings::regex(std::string_view name) const {
  const std::string text = last(name);
  if (text.empty()) {
    return std::nullopt;
  }
  try {
    return std::regex(text, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw SettingError(name, "'" + text + "' is not a regular expression: " + error.what());
  }
}

}  // namespace inetdiag
