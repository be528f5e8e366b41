// Text for a terminal: what a name from outside may not do to it, and where lines end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inetdiag::diagnosis {

/// UTF-8 without what controls a terminal (C0, DEL, C1) or the direction of text (Unicode's bidi
/// controls): a `?` stands for each.
std::string printable(std::string_view utf8);

/// The columns that it takes, one for each code point.
std::size_t display_width(std::string_view utf8);

/// Cut to `width` columns, with `~` where something is missing.
std::string shortened(std::string_view utf8, std::size_t width);

/// Lines of at most `columns`, broken at blanks; the first begins with `first`, the others with
/// `indent` blanks. A word that is longer stands whole.
std::string wrapped(std::string_view first, std::string_view text, std::size_t indent,
                    std::size_t columns);

}  // namespace inetdiag::diagnosis
