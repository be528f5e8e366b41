#include "exporter/cli/flags.h"

#include <filesystem>
#include <system_error>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace inetdiag {
namespace {

using Store = std::function<void(const std::string&)>;

/// An empty value usually comes from a variable that is not set. Ignoring the flag could disable
/// authentication.
CLI::Validator not_empty(const Flag& flag) {
  return {[usage = flag.name + "=" + flag.value](const std::string& text) -> std::string {
            return text.empty() ? "value is empty; write " + usage + ", or omit the flag" : "";
          },
          ""};
}

CLI::Option* described(CLI::Option* option, const Flag& flag) {
  if (!flag.default_value.empty()) {
    option->default_str(flag.default_value);
  }
  // CLI11 appends the description of a validator to the type: choices_of() reads it there.
  return option->type_name(flag.value)
      ->group(flag.group)
      ->check(not_empty(flag))
      ->check(CLI::Validator(fmt::format("{}", fmt::join(flag.choices, ","))));
}

void store_value(const Flag& flag, const Store& store, const std::string& text) {
  try {
    store(text);
  } catch (const std::invalid_argument& error) {
    throw CLI::ValidationError(flag.name, error.what());
  }
}

void add_repeatable(CLI::App& app, const Flag& flag,
                    const std::function<void(const std::vector<std::string>&)>& store) {
  described(app.add_option_function<std::vector<std::string>>(flag.name, store, flag.help), flag)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

void add_value(CLI::App& app, const Flag& flag, Store store) {
  described(app.add_option_function<std::string>(
                flag.name,
                [flag, store = std::move(store)](const std::string& text) {
                  store_value(flag, store, text);
                },
                flag.help),
            flag);
}

void add_values(CLI::App& app, const Flag& flag, Store store) {
  add_repeatable(app, flag,
                 [flag, store = std::move(store)](const std::vector<std::string>& texts) {
                   for (const std::string& text : texts) {
                     store_value(flag, store, text);
                   }
                 });
}

void add_text(CLI::App& app, Flag flag, std::string& text) {
  if (flag.default_value.empty()) {
    flag.default_value = text;
  }
  add_value(app, flag, [&text](const std::string& value) { text = value; });
}

void add_texts(CLI::App& app, Flag flag, std::vector<std::string>& texts) {
  flag.default_value = fmt::format("{}", fmt::join(texts, " "));
  add_repeatable(app, flag, [&texts](const std::vector<std::string>& given) { texts = given; });
}

void add_directory(CLI::App& app, Flag flag, std::string& path) {
  flag.default_value = path;
  add_value(app, flag, [&path](const std::string& text) {
    std::error_code error;
    if (!std::filesystem::is_directory(text, error)) {
      throw std::invalid_argument("'" + text + "' is not a directory");
    }
    path = text;
  });
}

void add_duration(CLI::App& app, Flag flag, double& seconds, std::chrono::milliseconds min) {
  flag.default_value = fmt::format("{:g}s", seconds);
  add_value(app, flag, [&seconds, min](const std::string& text) {
    seconds = kernel::parse_duration(text, min).count();
  });
}

void add_optional_duration(CLI::App& app, const Flag& flag, std::optional<double>& seconds,
                           std::chrono::milliseconds min) {
  add_value(app, flag, [&seconds, min](const std::string& text) {
    seconds = kernel::parse_duration(text, min).count();
  });
  app.get_option(flag.name)->expected(0, 1);  // CLI11 passes the default for an omitted value
}

void add_percentage(CLI::App& app, Flag flag, double& ratio) {
  constexpr double percent = 100;
  flag.default_value = fmt::format("{:g}%", ratio * percent);
  add_value(app, flag,
            [&ratio](const std::string& text) { ratio = kernel::parse_percentage(text); });
}

void add_switch(CLI::App& app, const Flag& flag, bool& variable) {
  app.add_flag(flag.name, variable, flag.help)->group(flag.group);
}

void add_switch(CLI::App& app, const Flag& flag) {
  app.add_flag(flag.name, flag.help)->group(flag.group);
}

std::optional<bool> switch_value(const CLI::App& app, const std::string& name) {
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
