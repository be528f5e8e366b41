#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/diagnosis/status.h"

namespace inetdiag {

struct StatusPageLinks {
  std::string metrics;           ///< path of the metrics
  unsigned refresh_seconds = 0;  ///< 0: the page stays as it is
};

/// The front page: what is wrong first, then listeners, limits and collectors. HTML that needs no
/// script and nothing from elsewhere. `nonce` allows its style in the Content-Security-Policy.
std::string status_page(const diagnosis::Status& status, const StatusPageLinks& links,
                        std::string_view nonce);

}  // namespace inetdiag
