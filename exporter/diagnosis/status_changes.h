#pragma once

#include <string>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// Returns a line for each finding that began, changed its severity or ended since `before`, and
/// the headline if there is none before (null). Replaces control characters in names.
std::string status_changes(const Status* before, const Status& now);

}  // namespace inetdiag::diagnosis
