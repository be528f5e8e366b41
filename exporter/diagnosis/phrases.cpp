#include "exporter/diagnosis/phrases.h"

#include <algorithm>
#include <array>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "exporter/diagnosis/number_format.h"

namespace inetdiag::diagnosis {
namespace {

/// `new_drops` becomes `new drops`, `queued_bytes` becomes `queued`.
std::string spoken(std::string_view name) {
  constexpr std::string_view unit = "_bytes";
  if (name.ends_with(unit)) {
    name.remove_suffix(unit.size());
  }
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

}  // namespace

std::string usage_text(const Usage& usage) {
  const auto text = [&](double value) {
    return usage.is_bytes ? bytes_text(value) : number_text(value);
  };
  return text(usage.used) + " / " + text(usage.limit);
}

std::string evidence_text(const Finding& finding, std::optional<double> seconds) {
  std::string text;
  for (const auto& [name, value] : finding.evidence) {
    if (!value) {
      continue;
    }
    text.append(text.empty() ? "" : ", ").append(spoken(name)).append(" ");
    text.append(figure_text(name, *value));
    if (name.starts_with("new_") && seconds) {
      text.append(fmt::format(" in {:.1f} s", *seconds));
    }
  }
  return text;
}

std::string no_findings_text(const Status& status) {
  if (status.is_incomplete()) {
    return listeners_unknown;
  }
  const Usage* closest = status.closest();
  if (closest == nullptr) {
    return "Nothing found.";
  }
  return "Nothing found. The closest limit: " + closest->name + " (" + closest->resource +
         where(closest->netns, closest->pod) + "), " + usage_text(*closest) + ", " +
         percent_text(closest->ratio) + ".";
}

std::string count_text(const std::vector<Finding>& findings) {
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

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace inetdiag::diagnosis
