// The kinds of flags that the program has. CLI11 parses them; what a value must be is told in our
// own words, since those of CLI11 do not say what to write. A variable that a flag sets must
// outlive the parsing, and holds the default until then.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace inetdiag {

struct Flag {
  std::string name;        ///< `--web.max-requests`
  std::string value = {};  ///< what stands for its value in the help: `N`; empty for a switch
  std::string help;
  std::string group = "Options";
  std::string fallback = {};  ///< what the help tells as the default, in place of the variable
};

enum class Times { once, many };

void add_text(CLI::App& app, const Flag& flag, std::string& text);

/// The value must be one of `names`; of a flag that is not given, the variable need not be.
void add_choice(CLI::App& app, const Flag& flag, std::string& name,
                const std::vector<std::string>& names);

/// Each time it stands, it takes one value.
void add_texts(CLI::App& app, const Flag& flag, std::vector<std::string>& texts,
               Times times = Times::many);

/// As add_texts(), with values of `names` alone.
void add_choices(CLI::App& app, const Flag& flag, std::vector<std::string>& chosen,
                 const std::vector<std::string>& names);

void add_ports(CLI::App& app, const Flag& flag, std::vector<std::uint16_t>& ports);

/// A directory, which must be there.
void add_folder(CLI::App& app, const Flag& flag, std::string& path);

/// A time with its unit, from `least_seconds` to an hour; it becomes seconds.
void add_time(CLI::App& app, const Flag& flag, double& seconds, double least_seconds);

/// A whole number, in decimal digits, for `take`.
void add_whole_number(CLI::App& app, const Flag& flag, std::uint64_t least, std::uint64_t most,
                      std::function<void(std::uint64_t)> take);

template <typename Number>
void add_number(CLI::App& app, Flag flag, Number& number, Number least = 0,
                Number most = std::numeric_limits<Number>::max()) {
  flag.fallback = std::to_string(number);
  add_whole_number(app, flag, least, most,
                   [&number](std::uint64_t taken) { number = static_cast<Number>(taken); });
}

/// A flag without a value. Where its name ends in `{false}`, it sets the variable to false.
void add_switch(CLI::App& app, const Flag& flag, bool& variable);

/// `--collector.tcp,!--no-collector.tcp`: a flag and its negation, told by is_on().
void add_switch(CLI::App& app, const Flag& flag);

/// What a flag without a value was set to; nothing where it was not given.
std::optional<bool> is_on(const CLI::App& app, const std::string& name);

/// The names of the flags of `app` that were given, in the order of the help.
std::vector<std::string> given_flags(const CLI::App& app);

template <typename Choices>
std::vector<std::string> keys_of(const Choices& choices) {
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const auto& [name, value] : choices) {
    names.push_back(name);
  }
  return names;
}

}  // namespace inetdiag
