#pragma once

#include <chrono>
#include <string_view>

namespace inetdiag {

/// Returns the timeout of a scrape: the value of X-Prometheus-Scrape-Timeout-Seconds, or 10 seconds
/// if it is empty, minus a margin for sending the response. Throws BadRequest if it is not a
/// positive number.
std::chrono::steady_clock::duration scrape_timeout(std::string_view header);

}  // namespace inetdiag
