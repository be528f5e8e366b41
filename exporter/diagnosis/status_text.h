#pragma once

#include <string>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Renders the status for a terminal of 80 columns. Replaces control characters in names.
std::string status_text(const Status& status, bool use_color);

}  // namespace inetdiag::diagnosis
