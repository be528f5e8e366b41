#pragma once

#include <string>
#include <string_view>

#include "exporter/diagnosis/status.h"

namespace inetdiag {

struct StatusPageLinks {
  std::string metrics;           ///< path of the metrics
  unsigned refresh_seconds = 0;  ///< 0: the page does not refresh itself
};

/// Renders the status page: findings, listeners, limits and collectors. The HTML has no scripts and
/// loads nothing. `nonce` is the nonce of its style sheet in the Content-Security-Policy.
std::string status_page(const diagnosis::Status& status, const StatusPageLinks& links,
                        std::string_view nonce);

}  // namespace inetdiag
