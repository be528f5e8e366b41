// Text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

/// Replaces with `?` what controls a terminal (C0, DEL, C1) or the direction of text (Unicode bidi
/// controls), and bytes that are not UTF-8.
std::string replace_controls(std::string_view utf8);

/// Replaces with `?` each code point that is not ASCII, for a terminal that does not expect UTF-8.
std::string replace_non_ascii(std::string_view utf8);

/// Returns the number of columns: two for a wide character, none for a combining one.
std::size_t display_width(std::string_view utf8);

/// Truncates to `width` columns. A truncated text ends in `mark`, which has one column.
std::string truncate(std::string_view utf8, std::size_t width, std::string_view mark = "~");

/// Like truncate(), but keeps the end too, which has the port of an endpoint and the file of a
/// path.
std::string truncate_middle(std::string_view utf8, std::size_t width, std::string_view mark);

/// Breaks at blanks into lines of at most `columns`. The first line starts with `prefix`, the
/// others with `indent` blanks. A longer word is not broken.
std::string wrap(std::string_view prefix, std::string_view text, std::size_t indent,
                 std::size_t columns);

/// Returns `[######....]` with `width` characters between the brackets. Rounds down, but to at
/// least one `#` if `ratio` is not 0.
std::string bar(double ratio, std::size_t width);

}  // namespace inetdiag::diagnosis
