// Figures as a person reads them.
#pragma once

#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

/// Integers in full, fractions with two digits.
std::string number_text(double value);

/// At most six characters: `99999`, `1.2M`.
std::string short_number_text(double value);

/// `1.5 MiB`.
std::string bytes_text(double bytes);

/// By what the name ends in: `_bytes` or anything else.
std::string figure_text(std::string_view name, double value);

/// `97 %`. Never 100 % where it is less.
std::string percent_text(double ratio);

}  // namespace inetdiag::diagnosis
