#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Compresses to the gzip format (RFC 1952). Throws std::bad_alloc.
std::string gzip(std::string_view text);

}  // namespace inetdiag
