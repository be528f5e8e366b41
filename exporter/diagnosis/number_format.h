#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

/// Returns integers in full and fractions with two digits.
std::string format_number(double value);

/// Returns `9999`, `1.2M` or `65k`, in at most `width` characters (at least 4).
std::string format_short_number(double value, std::size_t width);

/// Returns `1.5 MiB`.
std::string format_bytes(double bytes);

/// Formats `value` as bytes if `name` ends in `_bytes`, else as a number.
std::string format_value(std::string_view name, double value);

/// Returns `1.0 s`, `45 s` or `7 min`.
std::string format_duration(double seconds);

/// Returns `97 %`. Rounds down, so 100 % means that the limit is reached.
std::string format_percent(double ratio);

}  // namespace inetdiag::diagnosis
