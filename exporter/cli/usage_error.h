#pragma once

#include <span>
#include <string>

#include <CLI/App.hpp>

namespace inetdiag {

/// Why CLI11 did not take the command line, in one line: which argument, what is wrong with it, and
/// what to write instead.
std::string reason(const CLI::ParseError& error, const CLI::App& app,
                   std::span<const char* const> arguments);

/// Throws std::invalid_argument where a flag stands with an empty value, as from a variable that
/// is not set: to take it as left out could leave out passwords.
void reject_empty_values(const CLI::App& app);

}  // namespace inetdiag
