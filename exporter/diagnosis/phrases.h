// Sentences that the text and the page share.
#pragma once

#include <string>
#include <string_view>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

inline constexpr const char* listeners_unknown =
    "The listeners were not looked at: the collector listeners is off, or failed.";

/// `129 / 128`, `1.2 MiB / 4.0 MiB`.
std::string usage_text(const Usage& usage);

/// `waiting 129, backlog 128, new drops 12 in 1.0 s`; what is not known is left out.
std::string evidence_text(const Finding& finding, std::optional<double> seconds);

/// For where nothing was found: the closest limit and how far it is, or that nobody looked.
std::string no_findings_text(const Status& status);

/// `2 critical, 1 warning`.
std::string count_text(const std::vector<Finding>& findings);

/// `2026-11-22 03:12:45 UTC`.
std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace inetdiag::diagnosis
