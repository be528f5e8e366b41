#pragma once

#include <chrono>
#include <string_view>

namespace inetdiag {

/// How long a scrape may take by the header X-Prometheus-Scrape-Timeout-Seconds: a little less than
/// it says, so that the answer still arrives in time; without the header, 10 seconds. Throws
/// BadRequest where the header is no positive number.
std::chrono::steady_clock::duration scrape_time(std::string_view header);

}  // namespace inetdiag
