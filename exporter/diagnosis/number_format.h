// Figures as a person reads them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

/// Integers in full, fractions with two digits.
std::string number_text(double value);

/// At most `width` characters, at least four: `9999`, `1.2M`, `65k`.
std::string short_number_text(double value, std::size_t width);

/// `1.5 MiB`.
std::string bytes_text(double bytes);

/// By what the name ends in: `_bytes` or anything else.
std::string figure_text(std::string_view name, double value);

/// `97 %`. Never 100 % where it is less.
std::string percent_text(double ratio);

}  // namespace inetdiag::diagnosis
