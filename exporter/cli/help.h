// The help for readers, and the same as a table for the man page and the completions.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace inetdiag {

/// Wraps the help at 80 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

/// Returns the placeholder of the value in the help; empty if the flag has none.
std::string value_of(const CLI::Option& option);

/// Returns lines of fields that are separated by tabs:
///
///     summary TEXT
///     command NAME HELP
///     flag COMMAND GROUP NAMES VALUE CHOICES DEFAULT HELP
///
/// COMMAND is empty for the flags without a command. NAMES and CHOICES are separated by commas.
std::string flag_table(const CLI::App& app);

}  // namespace inetdiag
