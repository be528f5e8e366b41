#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Compressed as RFC 1952 has it. Throws std::bad_alloc.
std::string gzip(std::string_view text);

/// Whether an Accept-Encoding header (RFC 9110, section 12.5.3) takes gzip: named, or by `*`, and
/// with a weight above 0.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace inetdiag
