// Phrases that the text output and the status page share.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

inline constexpr const char* no_listener_data =
    "No data on listeners: the listeners collector is disabled or failed.";

/// Returns `129 / 128` or `1.2 MiB / 4.0 MiB`.
std::string format_usage(const Usage& usage);

/// Returns `waiting 129, backlog 128, new drops 12 in 1.0 s`. Omits unknown values.
std::string format_evidence(const Finding& finding, std::optional<double> interval_seconds);

/// Returns the worst finding and the number of others, or that none was found.
std::string verdict(const Status& status);

/// Returns which limit is closest and its usage; empty if there are findings or it is far away.
std::string closest_limit(const Status& status);

/// Returns the verdict and the closest limit.
std::string headline(const Status& status);

/// Returns `2 critical, 1 warning`.
std::string format_severity_counts(const std::vector<Finding>& findings);

/// Returns `CRITICAL`.
std::string upper_name_of(Severity severity);

/// Returns `2026-11-22 03:12:45 UTC`.
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace inetdiag::diagnosis
