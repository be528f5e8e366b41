#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Compresses to the gzip format (RFC 1952). Throws std::bad_alloc, and std::length_error for more
/// than 4 GiB.
std::string gzip(std::string_view text);

}  // namespace inetdiag
