#include "exporter/cli/usage_error.h"

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace inetdiag {
namespace {

using Arguments = std::span<const char* const>;
using Names = std::vector<std::string>;

/// How many letters to put in, leave out or change make one text of the other (Levenshtein).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// `; did you mean NAME?`, where one of `names` is nearly that.
std::string suggestion(std::string_view word, const Names& names) {
  constexpr std::size_t most_typos = 2;
  const auto typos = [&](const std::string& name) { return distance(word, name); };
  const auto nearest = std::ranges::min_element(names, {}, typos);
  return nearest != names.end() && typos(*nearest) <= most_typos
             ? "; did you mean " + *nearest + "?"
             : "";
}

std::string listed(const Names& names, std::string_view last = " or ") {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text.append(i == 0 ? "" : i + 1 == names.size() ? last : ", ").append(names[i]);
  }
  return text;
}

std::string name_of(std::string_view argument) {
  return std::string(argument.substr(0, argument.find('=')));
}

Names commands(const CLI::App& app) {
  Names names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return names;
}

Names commands_with(const CLI::App& app, const std::string& flag) {
  Names names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_option_no_throw(flag) != nullptr) {
      names.push_back(command->get_name());
    }
  }
  return names;
}

Names flags(const CLI::App& app) {
  Names names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

/// The command that was given.
const CLI::App* command_of(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? nullptr : given.front();
}

const CLI::Option* find_option(const CLI::App& app, const std::string& flag) {
  const CLI::App* command = command_of(app);
  const CLI::Option* own = command != nullptr ? command->get_option_no_throw(flag) : nullptr;
  return own != nullptr ? own : app.get_option_no_throw(flag);
}

std::string unknown_word(const CLI::App& app, const std::string& word) {
  if (word.empty()) {
    return "an argument is empty; leave it out";
  }
  const Names known = commands(app);
  const CLI::App* command = command_of(app);
  if (command == nullptr) {
    return "'" + word + "' is no command; there are " + listed(known, " and ") +
           suggestion(word, known);
  }
  return "'" + word + "' stands behind the command " + command->get_name() +
         (std::ranges::count(known, word) > 0 ? "; give one command at a time"
                                              : ", which takes flags alone, as in --flag=VALUE");
}

/// `--collector.NAME` and its negation; empty for any other flag.
std::string_view collector_of(std::string_view flag) {
  for (const std::string_view prefix : {"--collector.", "--no-collector."}) {
    if (flag.starts_with(prefix) && flag.find('.', prefix.size()) == std::string_view::npos) {
      return flag.substr(prefix.size());
    }
  }
  return {};
}

std::string unknown_flag(const CLI::App& app, const std::string& argument) {
  const std::string flag = name_of(argument);
  if (const Names owners = commands_with(app, flag); !owners.empty()) {
    const CLI::App* command = command_of(app);
    return flag + " is a flag of the command " + listed(owners) +
           (command != nullptr
                ? ", not of " + command->get_name()
                : "; write it as inetdiag_exporter " + owners.front() + " " + argument);
  }
  if (app.get_option_no_throw("-" + flag) != nullptr) {
    return flag + ": write it with two dashes, -" + flag;
  }
  const Names known = flags(app);
  const std::string near = suggestion(flag, known);
  if (!near.empty() || collector_of(flag).empty()) {
    return flag + ": no such flag" + near;
  }
  Names collectors;
  for (const std::string& each : known) {
    if (each.starts_with("--no-collector.")) {
      collectors.emplace_back(collector_of(each));
    }
  }
  std::ranges::sort(collectors);
  return flag + ": no such collector; there are " + listed(collectors, " and ");
}

/// The first of those that CLI11 had no use for; it holds them in no order.
const char* first_unexpected(const CLI::App& app, Arguments arguments) {
  const auto unexpected = app.remaining(true);
  const auto found = std::ranges::find_if(arguments.subspan(1), [&](const char* argument) {
    return std::ranges::count(unexpected, argument) > 0;
  });
  return found == arguments.end() ? nullptr : *found;
}

std::string missing_value(const CLI::Option& option) {
  return option.get_name() + ": its value is missing; write it as " + option.get_name() + "=" +
         option.get_type_name();
}

/// No value where one must be, or several.
std::string wrong_number_of_values(const CLI::App& app, Arguments arguments,
                                   std::string_view text) {
  const std::string flag(text.substr(0, text.find(':')));
  const CLI::Option* option = find_option(app, flag);
  if (option == nullptr) {
    return std::string(text);
  }
  const auto times = std::ranges::count(arguments, flag, name_of);
  const bool is_repeatable = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return times > 1 && !is_repeatable
             ? flag + ": given " + std::to_string(times) + " times; write it once"
             : missing_value(*option);
}

/// Flags that take numbers look at them themselves: what is left is neither true nor false.
std::string wrong_switch(const CLI::App& app, Arguments arguments, std::string_view text) {
  for (const std::string_view argument : arguments) {
    const auto equals = argument.find('=');
    const std::string flag = name_of(argument);
    const CLI::Option* option = equals == std::string_view::npos ? nullptr : find_option(app, flag);
    if (option != nullptr && option->get_items_expected_max() == 0 &&
        text.find(flag) != std::string_view::npos) {
      return flag + ": takes no value; leave '" + std::string(argument.substr(equals)) + "' out";
    }
  }
  return std::string(text);
}

}  // namespace

std::string reason(const CLI::ParseError& error, const CLI::App& app, Arguments arguments) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const char* argument = first_unexpected(app, arguments);
    if (argument != nullptr) {
      return *argument == '-' ? unknown_flag(app, argument) : unknown_word(app, argument);
    }
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return wrong_number_of_values(app, arguments, error.what());
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    return wrong_switch(app, arguments, error.what());
  }
  return error.what();
}

void reject_empty_values(const CLI::App& app) {
  for (const CLI::App* each : {&app, command_of(app)}) {
    if (each == nullptr) {
      continue;
    }
    for (const CLI::Option* option : each->get_options()) {
      if (std::ranges::any_of(option->results(), &std::string::empty)) {
        throw std::invalid_argument(option->get_name() + ": its value is empty; write it as " +
                                    option->get_name() + "=" + option->get_type_name() +
                                    ", or leave the flag out");
      }
    }
  }
}

}  // namespace inetdiag
