#include "exporter/http/scrape_timeout.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "collectors/kernel/base/text.h"
#include "exporter/http/collector_query.h"

namespace inetdiag {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds default_timeout{10};
constexpr Seconds max_timeout{300};
// For serializing and sending the response.
constexpr double margin_ratio = 0.05;
constexpr Seconds max_margin{0.5};

}  // namespace

std::chrono::steady_clock::duration scrape_timeout(std::string_view header) {
  Seconds timeout = default_timeout;
  if (!header.empty()) {
    const auto value = kernel::to_number<double>(header);
    if (!value || !std::isfinite(*value) || *value <= 0) {
      throw BadRequest("X-Prometheus-Scrape-Timeout-Seconds: '" + std::string(header) +
                       "' is not a positive number of seconds");
    }
    timeout = std::min(Seconds(*value), max_timeout);
  }
  timeout -= std::min(timeout * margin_ratio, max_margin);
  return std::chrono::ceil<std::chrono::steady_clock::duration>(timeout);
}

}  // namespace inetdiag
