#include "exporter/cli/usage_error.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <numeric>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "collectors/netns.h"
#include "exporter/cli/help.h"

namespace inetdiag {
namespace {

using Arguments = std::span<const char* const>;
using Names = std::vector<std::string>;

/// Levenshtein distance.
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

/// Returns `; did you mean NAME?`, or nothing if no name is similar to `word`.
std::string suggestion(std::string_view word, const Names& names) {
  constexpr std::size_t max_typos = 2;
  const auto typos = [&](const std::string& name) { return distance(word, name); };
  const auto nearest = std::ranges::min_element(names, {}, typos);
  return nearest != names.end() && typos(*nearest) <= max_typos ? "; did you mean " + *nearest + "?"
                                                                : "";
}

/// Returns `a, b or c`.
std::string alternatives(const Names& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text.append(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ").append(names[i]);
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

/// Returns the command of the command line, or nullptr.
const CLI::App* command_of(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? nullptr : given.front();
}

const CLI::Option* find_option(const CLI::App& app, const std::string& flag) {
  const CLI::App* command = command_of(app);
  const CLI::Option* own = command != nullptr ? command->get_option_no_throw(flag) : nullptr;
  return own != nullptr ? own : app.get_option_no_throw(flag);
}

std::string unexpected_argument(const CLI::App& app, const std::string& argument) {
  if (argument.empty()) {
    return "empty argument; remove it";
  }
  const Names known = commands(app);
  const CLI::App* command = command_of(app);
  if (command == nullptr) {
    const std::string near = suggestion(argument, known);
    return "unknown command '" + argument + "'" +
           (near.empty() ? "; expected " + alternatives(known) : near);
  }
  return "unexpected argument '" + argument + "' after command " + command->get_name() +
         (std::ranges::count(known, argument) > 0 ? "; use one command at a time"
                                                  : "; it takes only flags, as in --flag=VALUE");
}

/// Returns NAME of `--collector.NAME` and its negation; empty for any other flag.
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
    return flag + " is a flag of the command " + alternatives(owners) +
           (command != nullptr ? ", not of " + command->get_name()
                               : "; write inetdiag_exporter " + owners.front() + " " + argument);
  }
  const std::string unknown = "unknown flag " + flag;
  if (app.get_option_no_throw("-" + flag) != nullptr) {
    return unknown + "; did you mean -" + flag + "?";
  }
  if (collector_of(flag) == netns_collector_name) {
    return flag + ": this collector is enabled by --netns.discover";
  }
  Names known = flags(app);
  if (const CLI::App* command = command_of(app)) {
    std::ranges::move(flags(*command), std::back_inserter(known));
  }
  const std::string near = suggestion(flag, known);
  if (!near.empty() || collector_of(flag).empty()) {
    return unknown + near;
  }
  Names collectors;
  for (const std::string& each : known) {
    if (each.starts_with("--no-collector.")) {
      collectors.emplace_back(collector_of(each));
    }
  }
  std::ranges::sort(collectors);
  return flag + ": unknown collector; expected " + alternatives(collectors);
}

/// Returns the first argument that CLI11 did not recognize. CLI11 does not keep their order.
const char* first_unexpected(const CLI::App& app, Arguments arguments) {
  const auto unexpected = app.remaining(true);
  const auto found = std::ranges::find_if(arguments.subspan(1), [&](const char* argument) {
    return std::ranges::count(unexpected, argument) > 0;
  });
  return found == arguments.end() ? nullptr : *found;
}

std::string missing_value(const CLI::Option& option) {
  return option.get_name() + ": value is missing; write " + option.get_name() + "=" +
         value_of(option);
}

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
             ? flag + ": given " + std::to_string(times) + " times; it takes one value"
             : missing_value(*option);
}

/// CLI11 converts only the values of switches, so this is a value other than true and false.
std::string unexpected_value(const CLI::App& app, Arguments arguments, std::string_view text) {
  for (const std::string_view argument : arguments) {
    const auto equals = argument.find('=');
    const std::string flag = name_of(argument);
    const CLI::Option* option = equals == std::string_view::npos ? nullptr : find_option(app, flag);
    if (option != nullptr && option->get_items_expected_max() == 0 &&
        text.find(flag) != std::string_view::npos) {
      return flag + ": takes no value; remove '" + std::string(argument.substr(equals)) + "'";
    }
  }
  return std::string(text);
}

}  // namespace

std::string usage_error_message(const CLI::ParseError& error, const CLI::App& app,
                                Arguments arguments) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const char* argument = first_unexpected(app, arguments);
    if (argument != nullptr) {
      return *argument == '-' ? unknown_flag(app, argument) : unexpected_argument(app, argument);
    }
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return wrong_number_of_values(app, arguments, error.what());
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    return unexpected_value(app, arguments, error.what());
  }
  return error.what();
}

}  // namespace inetdiag
