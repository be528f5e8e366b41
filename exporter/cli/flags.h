// The kinds of flags of this program, on top of CLI11. A variable that a flag sets must outlive the
// parsing and holds the default until then.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "collectors/kernel/base/parse.h"

namespace CLI {
class App;
}

namespace inetdiag {

struct Flag {
  std::string name;        ///< `--web.max-requests`
  std::string value = {};  ///< the placeholder of its value in the help: `N`; empty for a switch
  std::string help;
  std::string group = "Options";
  std::string default_value = {};         ///< shown in the help; empty for none
  std::vector<std::string> choices = {};  ///< all values, or the usual ones; empty for any
};

/// Passes the value to `store`. The message of its std::invalid_argument is reported as an error of
/// the flag.
void add_value(CLI::App& app, const Flag& flag, std::function<void(const std::string&)> store);

/// Like add_value(), for a flag that may be repeated.
void add_values(CLI::App& app, const Flag& flag, std::function<void(const std::string&)> store);

/// The default is the value of `text`.
void add_text(CLI::App& app, Flag flag, std::string& text);

/// Like add_text(), for a flag that may be repeated: its values replace the default.
void add_texts(CLI::App& app, Flag flag, std::vector<std::string>& texts);

/// The path of a directory that must exist.
void add_directory(CLI::App& app, Flag flag, std::string& path);

/// A duration from `min` to an hour; the default is the value of `seconds`.
void add_duration(CLI::App& app, Flag flag, double& seconds, std::chrono::milliseconds min);

/// Like add_duration(), but its value may be omitted: `--watch` or `--watch=5s`.
void add_optional_duration(CLI::App& app, const Flag& flag, std::optional<double>& seconds,
                           std::chrono::milliseconds min);

/// A percentage, as a ratio from 0 to 1; the default is the value of `ratio`.
void add_percentage(CLI::App& app, Flag flag, double& ratio);

/// A whole number; the default is the value of `number`.
template <typename Number>
void add_number(CLI::App& app, Flag flag, Number& number, Number min = 0,
                Number max = std::numeric_limits<Number>::max()) {
  flag.default_value = std::to_string(number);
  add_value(app, flag, [&number, min, max](const std::string& text) {
    number = static_cast<Number>(kernel::parse_whole_number(text, min, max));
  });
}

/// Throws std::invalid_argument if `text` is none of the names.
template <typename Value>
Value parse_choice(const std::string& text, const std::map<std::string, Value>& choices) {
  if (const auto found = choices.find(text); found != choices.end()) {
    return found->second;
  }
  std::string names;
  for (const auto& [name, value] : choices) {
    names.append(names.empty() ? "" : ", ").append(name);
  }
  throw std::invalid_argument("invalid value '" + text + "', expected one of " + names);
}

/// One of a few names; the default is the name of the value of `chosen`.
template <typename Variable, typename Value>
void add_choice(CLI::App& app, Flag flag, Variable& chosen,
                const std::map<std::string, Value>& choices) {
  for (const auto& [name, value] : choices) {
    flag.choices.push_back(name);
    if (chosen == value) {
      flag.default_value = name;
    }
  }
  add_value(app, flag,
            [&chosen, choices](const std::string& text) { chosen = parse_choice(text, choices); });
}

/// A flag without a value. If its name ends in `{false}`, it sets the variable to false.
void add_switch(CLI::App& app, const Flag& flag, bool& variable);

/// A flag and its negation: `--collector.tcp,!--no-collector.tcp`.
void add_switch(CLI::App& app, const Flag& flag);

/// Returns the value of a flag and its negation; std::nullopt if neither was given.
std::optional<bool> switch_value(const CLI::App& app, const std::string& name);

/// Returns the names of the flags of `app` that were given, in the order of the help.
std::vector<std::string> given_flags(const CLI::App& app);

}  // namespace inetdiag
