#include "exporter/http/scrape_timeout.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "collectors/kernel/base/text.h"
#include "exporter/http/collector_query.h"

namespace inetdiag {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds without_header{10};
constexpr Seconds longest{300};
// What serialising and sending the answer may take.
constexpr double margin_share = 0.05;
constexpr Seconds longest_margin{0.5};

}  // namespace

std::chrono::steady_clock::duration scrape_time(std::string_view header) {
  Seconds time = without_header;
  if (!header.empty()) {
    const auto value = kernel::to_number<double>(header);
    if (!value || !std::isfinite(*value) || *value <= 0) {
      throw BadRequest("X-Prometheus-Scrape-Timeout-Seconds: '" + std::string(header) +
                       "' is not a positive number of seconds");
    }
    time = std::min(Seconds(*value), longest);
  }
  time -= std::min(time * margin_share, longest_margin);
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

}  // namespace inetdiag
