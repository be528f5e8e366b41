#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Escapes text for an element or a quoted attribute. Replaces control characters, which HTML does
/// not allow, with U+FFFD.
std::string escape_html(std::string_view text);

}  // namespace inetdiag
