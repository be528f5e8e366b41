// Why a program does not accept the connections that wait at its listener.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/namespace_delta.h"

namespace inetdiag::diagnosis {

struct StallCause {
  std::string sentence{};
  std::string action{};
  std::vector<std::pair<std::string, std::optional<double>>> evidence{};
};

/// Returns the causes that the numbers prove, the strongest first.
std::vector<StallCause> causes_of_stall(const Listener& listener, const NamespaceDelta& delta);

/// Returns them as sentences; if there is none, the process, or why it cannot be seen. Empty if
/// nothing is known.
std::string why_not_accepted(const Listener& listener, const NamespaceDelta& delta);

/// Adds the cause to the finding: after the first sentence of the summary, to the evidence, and as
/// the first action in place of advice to find it.
void add_cause(Finding& finding, const Listener& listener, const NamespaceDelta& delta);

}  // namespace inetdiag::diagnosis
