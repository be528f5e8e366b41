#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Text as the content of an element or the value of a quoted attribute. Control characters, which
/// HTML does not allow, become U+FFFD.
std::string html_escaped(std::string_view text);

}  // namespace inetdiag
