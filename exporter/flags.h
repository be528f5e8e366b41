// The kinds of flags that more than one part of the program has. What a value must be is told in
// our own words: those of CLI11 do not say what to write.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

namespace inetdiag {

CLI::Validator one_of(std::vector<std::string> names);

/// A whole number, in decimal digits.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// A time with its unit, up to an hour; it becomes seconds.
CLI::Validator time_from(double least_seconds);

CLI::Validator existing_folder();

template <typename Choices>
CLI::Validator key_of(const Choices& choices) {
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const auto& [name, value] : choices) {
    names.push_back(name);
  }
  return one_of(std::move(names));
}

/// One of the names that are the keys of `choices`.
template <typename Choices>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, std::string& value,
                        const std::string& help, const Choices& choices) {
  return app.add_option(flag, value, help)
      ->type_name("NAME")
      ->check(key_of(choices))
      ->capture_default_str();
}

template <typename Number>
CLI::Option* add_number(CLI::App& app, const std::string& flag, Number& value,
                        const std::string& help, Number least = 0,
                        Number most = std::numeric_limits<Number>::max()) {
  return app.add_option(flag, value, help)
      ->type_name("N")
      ->transform(whole_number(least, most))
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
  return app.add_option(flag, seconds, help)
      ->type_name("TIME")
      ->transform(time_from(least_seconds));
}

}  // namespace inetdiag
