#include "exporter/diagnosis/phrases.h"

#include <algorithm>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"

namespace inetdiag::diagnosis {
namespace {

/// Returns `new drops` for `new_drops`, `queued` for `queued_bytes`.
std::string display_name(std::string_view name) {
  constexpr std::string_view unit = "_bytes";
  if (name.ends_with(unit)) {
    name.remove_suffix(unit.size());
  }
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

}  // namespace

std::string format_usage(const Usage& usage) {
  const auto format = usage.is_bytes ? format_bytes : format_number;
  return format(usage.used) + " / " + format(usage.limit);
}

std::string format_evidence(const Finding& finding, std::optional<double> interval_seconds) {
  std::string text;
  for (const auto& [name, value] : finding.evidence) {
    if (!value) {
      continue;
    }
    text.append(text.empty() ? "" : ", ").append(display_name(name)).append(" ");
    text.append(format_value(name, *value));
    if (name.starts_with("new_") && interval_seconds) {
      text.append(fmt::format(" in {:.1f} s", *interval_seconds));
    }
  }
  return text;
}

std::string no_findings_text(const Status& status) {
  if (status.is_incomplete()) {
    return no_listener_data;
  }
  const Usage* closest = status.closest();
  if (closest == nullptr) {
    return "No problems found.";
  }
  return "No problems found. Closest to its limit: " + closest->name + " (" + closest->resource +
         in_namespace(closest->netns, closest->pod) + "), " + format_usage(*closest) + ", " +
         format_percent(closest->ratio) + ".";
}

std::string format_severity_counts(const std::vector<Finding>& findings) {
  std::string text;
  for (const Severity severity : {Severity::critical, Severity::warning, Severity::notice}) {
    const auto count = std::ranges::count(findings, severity, &Finding::severity);
    if (count > 0) {
      text.append(text.empty() ? "" : ", ");
      text.append(fmt::format("{} {}{}", count, name_of(severity),
                              count > 1 && severity != Severity::critical ? "s" : ""));
    }
  }
  return text;
}

std::string format_time(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace inetdiag::diagnosis
