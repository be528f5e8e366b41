// Text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

/// Replaces characters that control a terminal (C0, DEL, C1) or the direction of text (Unicode bidi
/// controls) with `?`.
std::string replace_controls(std::string_view utf8);

/// Returns the number of columns, at one per code point.
std::size_t display_width(std::string_view utf8);

/// Truncates to `width` columns and marks the truncation with a final `~`.
std::string truncate(std::string_view utf8, std::size_t width);

/// Breaks at blanks into lines of at most `columns`. The first line starts with `prefix`, the
/// others with `indent` blanks. A longer word is not broken.
std::string wrap(std::string_view prefix, std::string_view text, std::size_t indent,
                 std::size_t columns);

}  // namespace inetdiag::diagnosis
