// The kinds of flags that more than one part of the program has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

namespace inetdiag {

/// One of the names that are the keys of `choices`.
template <typename Choices>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, std::string& value,
                        const std::string& help, const Choices& choices) {
  return app.add_option(flag, value, help)
      ->type_name("NAME")
      ->check(CLI::IsMember(choices).description(""))
      ->capture_default_str();
}

/// It may stand several times, with one value each.
template <typename Value>
CLI::Option* add_repeatable(CLI::App& app, const std::string& flag, std::vector<Value>& values,
                            const std::string& help) {
  return app.add_option(flag, values, help)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// A time with its unit, from `least_seconds` to an hour.
inline CLI::Option* add_time(CLI::App& app, const std::string& flag, double& seconds,
                             const std::string& help, double least_seconds) {
  constexpr double longest_seconds = 3600;
  const std::map<std::string, double> units = {{"ms", 0.001}, {"s", 1}, {"m", 60}};
  return app.add_option(flag, seconds, help)
      ->type_name("TIME")
      ->transform(
          CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED).description(""))
      ->check(CLI::Range(least_seconds, longest_seconds).description(""));
}

}  // namespace inetdiag
