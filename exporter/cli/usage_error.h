#pragma once

#include <span>
#include <string>

#include <CLI/App.hpp>

namespace inetdiag {

/// Returns one line with the argument that CLI11 rejected, the reason and the correct syntax.
std::string usage_error_message(const CLI::ParseError& error, const CLI::App& app,
                                std::span<const char* const> arguments);

}  // namespace inetdiag
