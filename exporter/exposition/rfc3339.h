#pragma once

#include <chrono>
#include <string>

namespace inetdiag {

/// Returns the time in UTC, as in `2026-01-31T13:05:00Z`.
std::string rfc3339(std::chrono::system_clock::time_point time);

/// Returns the time in UTC, as in `2026-01-31T13:05:00.042Z`.
std::string rfc3339_with_milliseconds(std::chrono::system_clock::time_point time);

}  // namespace inetdiag
