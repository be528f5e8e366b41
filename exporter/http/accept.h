// Content negotiation (RFC 9110, section 12.5).
#pragma once

#include <string_view>

namespace inetdiag {

/// Whether an Accept-Encoding header accepts gzip, by name or by `*`.
bool accepts_gzip(std::string_view accept_encoding);

/// Whether an Accept header prefers OpenMetrics 1.0.0 to the text format of Prometheus. Not if it
/// gives both the same weight, or cannot be parsed.
bool prefers_openmetrics(std::string_view accept);

}  // namespace inetdiag
