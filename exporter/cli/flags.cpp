#include "exporter/cli/flags.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <fmt/format.h>

#include "collectors/kernel/base/text.h"

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

CLI::Validator one_of(const std::vector<std::string>& names) {
  return {[names](const std::string& text) -> std::string {
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

CLI::Option* described(CLI::Option* option, const Flag& flag) {
  if (!flag.fallback.empty()) {
    option->default_str(flag.fallback);
  }
  return option->type_name(flag.value)->group(flag.group);
}

CLI::Option* add_one(CLI::App& app, const Flag& flag, std::string& text) {
  return described(app.add_option(flag.name, text, flag.help)->capture_default_str(), flag);
}

template <typename Value>
CLI::Option* add_several(CLI::App& app, const Flag& flag, std::vector<Value>& values,
                         Times times = Times::many) {
  return described(app.add_option(flag.name, values, flag.help), flag)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(times == Times::many ? CLI::MultiOptionPolicy::TakeAll
                                                 : CLI::MultiOptionPolicy::Throw);
}

}  // namespace

void add_text(CLI::App& app, const Flag& flag, std::string& text) { add_one(app, flag, text); }

void add_choice(CLI::App& app, const Flag& flag, std::string& name,
                const std::vector<std::string>& names) {
  add_one(app, flag, name)->check(one_of(names));
}

void add_texts(CLI::App& app, const Flag& flag, std::vector<std::string>& texts, Times times) {
  add_several(app, flag, texts, times);
}

void add_choices(CLI::App& app, const Flag& flag, std::vector<std::string>& chosen,
                 const std::vector<std::string>& names) {
  add_several(app, flag, chosen)->check(one_of(names));
}

void add_ports(CLI::App& app, const Flag& flag, std::vector<std::uint16_t>& ports) {
  add_several(app, flag, ports)
      ->transform(whole_number(0, std::numeric_limits<std::uint16_t>::max()));
}

void add_folder(CLI::App& app, const Flag& flag, std::string& path) {
  add_one(app, flag, path)->check(existing_folder());
}

void add_time(CLI::App& app, const Flag& flag, double& seconds, double least_seconds) {
  described(app.add_option(flag.name, seconds, flag.help), flag)
      ->transform(time_from(least_seconds));
}

void add_whole_number(CLI::App& app, const Flag& flag, std::uint64_t least, std::uint64_t most,
                      std::function<void(std::uint64_t)> take) {
  described(app.add_option_function<std::uint64_t>(flag.name, std::move(take), flag.help), flag)
      ->transform(whole_number(least, most));
}

void add_switch(CLI::App& app, const Flag& flag, bool& variable) {
  app.add_flag(flag.name, variable, flag.help)->group(flag.group);
}

void add_switch(CLI::App& app, const Flag& flag) {
  app.add_flag(flag.name, flag.help)->group(flag.group);
}

std::optional<bool> is_on(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option(name);
  return option->count() > 0 ? std::optional(option->as<bool>()) : std::nullopt;
}

std::vector<std::string> given_flags(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0) {
      names.push_back(option->get_name());
    }
  }
  return names;
}

}  // namespace inetdiag
