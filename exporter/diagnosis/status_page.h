#pragma once

#include <string>
#include <string_view>

#include "exporter/diagnosis/status.h"

namespace inetdiag {

struct StatusPageLinks {
  std::string metrics;           ///< path of the metrics
  unsigned refresh_seconds = 0;  ///< 0: the page does not refresh itself
};

/// Renders the status page: findings, listeners, limits and collectors. It loads nothing but
/// itself, to refresh. `nonce` is that of its style sheet and script in the
/// Content-Security-Policy.
std::string status_page(const diagnosis::Status& status, const StatusPageLinks& links,
                        std::string_view nonce);

}  // namespace inetdiag
