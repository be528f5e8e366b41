#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Compresses to the gzip format (RFC 1952). Throws std::bad_alloc.
std::string gzip(std::string_view text);

/// Returns whether an Accept-Encoding header (RFC 9110, section 12.5.3) accepts gzip, by name or by
/// `*`, with a weight above 0.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace inetdiag
