#pragma once

#include <span>
#include <string>

#include <CLI/App.hpp>

namespace inetdiag {

/// Returns one line that says which argument CLI11 rejected, why, and what to write instead.
std::string usage_error_message(const CLI::ParseError& error, const CLI::App& app,
                                std::span<const char* const> arguments);

}  // namespace inetdiag
