#pragma once

#include <string>
#include <string_view>

namespace inetdiag {

/// Compressed as RFC 1952 has it. Throws std::bad_alloc.
std::string gzip(std::string_view text);

}  // namespace inetdiag
