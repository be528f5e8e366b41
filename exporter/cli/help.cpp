#include "exporter/cli/help.h"

#include <cstddef>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t help_column = 30;

/// Appends the words of `text` to a line that has `width` columns; continues at `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string lines;
  bool is_first = true;
  while (!text.empty()) {
    const std::string_view word = kernel::cut(text, ' ');
    if (!is_first && width + 1 + word.size() > columns) {
      lines.append("\n").append(indent, ' ').append(word);
      width = indent + word.size();
    } else {
      lines.append(is_first ? "" : " ").append(word);
      width += word.size() + (is_first ? 0 : 1);
    }
    is_first = false;
  }
  return lines.append("\n");
}

/// Returns a line `  NAME   HELP`. A long name stands alone.
std::string help_entry(const std::string& name, const std::string& help) {
  std::string line = "  " + name;
  if (line.size() + 2 > help_column) {
    line.append("\n").append(help_column, ' ');
  } else {
    line.append(help_column - line.size(), ' ');
  }
  return line + wrapped(help, help_column, help_column);
}

/// Returns `-h, --help` or `--collector.tcp, --no-collector.tcp`.
std::string names_of(const CLI::Option& option, std::string_view separator) {
  std::string names;
  const auto add = [&](std::string_view dashes, std::string name) {
    // CLI11 appends `{false}` to the name of a negated flag.
    if (const auto mark = name.find('{'); mark != std::string::npos) {
      name.erase(mark);
    }
    names.append(names.empty() ? "" : separator).append(dashes).append(name);
  };
  for (const std::string& name : option.get_snames()) {
    add("-", name);
  }
  for (const std::string& name : option.get_lnames()) {
    add("--", name);
  }
  return names;
}

/// Returns what described() adds to the type of an option: `NAME:CHOICES`.
std::string choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto choices = type.find(':');
  return choices == std::string::npos ? "" : type.substr(choices + 1);
}

std::string help_of(const CLI::Option& option) {
  const std::string& value = option.get_default_str();
  return option.get_description() + (value.empty() ? "" : " (default " + value + ")");
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* /*command*/) { return true; });
}

}  // namespace

std::string value_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode /*mode*/) const {
  const auto commands = commands_of(*app);
  if (app->get_parent() != nullptr) {
    name = app->get_parent()->get_name() + " " + app->get_name();
  }
  std::string text =
      fmt::format("Usage: {} [FLAG...]{}\n\n", name, commands.empty() ? "" : " [COMMAND]");
  text += wrapped(app->get_description(), 0, 0);
  if (!commands.empty()) {
    text += "\nCommands:\n";
  }
  for (const CLI::App* command : commands) {
    text += help_entry(command->get_name(), command->get_description());
  }
  for (const std::string& group : app->get_groups()) {
    const auto members = app->get_options(
        [&](const CLI::Option* option) { return !group.empty() && option->get_group() == group; });
    if (!members.empty()) {
      text.append("\n").append(group).append(":\n");
    }
    for (const CLI::Option* option : members) {
      const std::string value = value_of(*option);
      text += help_entry(names_of(*option, ", ") + (value.empty() ? "" : " " + value),
                         help_of(*option));
    }
  }
  if (!app->get_footer().empty()) {
    text.append("\n").append(wrapped(app->get_footer(), 0, 0));
  }
  return text;
}

std::string flag_table(const CLI::App& app) {
  std::string table = "summary\t" + app.get_description() + "\n";
  std::vector<const CLI::App*> apps = {&app};
  for (const CLI::App* command : commands_of(app)) {
    table += "command\t" + command->get_name() + "\t" + command->get_description() + "\n";
    apps.push_back(command);
  }
  for (const CLI::App* each : apps) {
    for (const CLI::Option* option : each->get_options()) {
      if (option->get_group().empty()) {
        continue;
      }
      table += "flag";
      for (const std::string& field :
           {each == &app ? "" : each->get_name(), option->get_group(), names_of(*option, ","),
            value_of(*option), choices_of(*option), option->get_default_str(),
            option->get_description()}) {
        table.append("\t").append(field);
      }
      table += "\n";
    }
  }
  return table;
}

}  // namespace inetdiag
