// Sentences that the text and the page share.
#pragma once

#include <string>
#include <string_view>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

/// `129 / 128`, `1.2 MiB / 4.0 MiB`.
std::string usage_text(const Usage& usage);

/// `waiting 129, backlog 128, new drops 12`; what grew is told with the time it took.
std::string evidence_text(const Finding& finding, std::optional<double> seconds);

/// `nothing found: the closest limit is ..., 12 % used`.
std::string quiet_text(const Status& status);

/// `2 critical, 1 warning`.
std::string count_text(const std::vector<Finding>& findings);

/// `2026-11-22 03:12:45 UTC`.
std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace inetdiag::diagnosis
