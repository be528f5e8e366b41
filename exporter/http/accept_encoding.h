#pragma once

#include <string_view>

namespace inetdiag {

/// Whether an Accept-Encoding header (RFC 9110, section 12.5.3) accepts gzip, by name or by `*`.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace inetdiag
