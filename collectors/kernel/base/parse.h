// The values of flags and settings. Every function throws std::invalid_argument with a message that
// states the problem and the expected syntax.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace inetdiag::kernel {

/// Parses decimal digits, such as 500.
std::uint64_t parse_whole_number(std::string_view text, std::uint64_t min, std::uint64_t max);

/// Parses a percentage, such as 1% or 0.5, and returns it as a ratio from 0 to 1.
double parse_percentage(std::string_view text);

/// Parses a duration from `min` to an hour, such as 500ms, 5s or 1m.
std::chrono::duration<double> parse_duration(std::string_view text, std::chrono::milliseconds min);

}  // namespace inetdiag::kernel
