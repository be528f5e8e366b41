#include "collectors/support/settings.h"

#include "collectors/kernel/base/parse.h"

namespace inetdiag {

std::vector<std::string> Settings::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

template <typename Parse>
auto Settings::parsed(std::string_view name, Parse parse) const {
  const auto found = values_.find(name);
  try {
    return parse(found == values_.end() ? std::string_view() : found->second.back());
  } catch (const std::invalid_argument& error) {
    throw SettingError(name, error.what());
  }
}

std::uint64_t Settings::whole_number(std::string_view name, std::uint64_t min,
                                     std::uint64_t max) const {
  return parsed(name, [=](auto text) { return kernel::parse_whole_number(text, min, max); });
}

double Settings::percentage(std::string_view name) const {
  return parsed(name, kernel::parse_percentage);
}

bool Settings::is_on(std::string_view name) const {
  return parsed(name, [](std::string_view text) {
    if (text != "on" && text != "off") {
      throw std::invalid_argument("'" + std::string(text) + "' is neither on nor off");
    }
    return text == "on";
  });
}

std::chrono::duration<double> Settings::duration_or_zero(std::string_view name,
                                                         std::chrono::milliseconds min) const {
  return parsed(name, [=](std::string_view text) {
    return text == "0" ? std::chrono::duration<double>(0) : kernel::parse_duration(text, min);
  });
}

std::optional<kernel::Regex> Settings::regex(std::string_view name) const {
  return parsed(name, [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(kernel::Regex(text));
  });
}

}  // namespace inetdiag
