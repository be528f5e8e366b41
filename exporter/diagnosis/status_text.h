#pragma once

#include <string>
#include <string_view>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Renders the status for a terminal of 80 columns. Replaces control characters in names.
/// `after_findings` follows the findings as it is.
std::string status_text(const Status& status, bool use_color, std::string_view after_findings = {});

}  // namespace inetdiag::diagnosis
