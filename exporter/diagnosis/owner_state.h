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
  /// Whether it alone keeps the program from accepting. Otherwise it is an observation, which does
  /// not replace advice to find the cause: other processes or threads may accept, or it is unknown
  /// whether the process has the socket.
  bool is_certain = true;
  std::vector<std::pair<std::string, std::optional<double>>> evidence{};
};

/// Returns the causes that the numbers show, the strongest first, then the observations.
std::vector<StallCause> causes_of_stall(const Listener& listener, const NamespaceDelta& delta);

/// Returns them as sentences; if none is certain, after the process, or why it cannot be seen.
/// Empty if nothing is known.
std::string why_not_accepted(const Listener& listener, const NamespaceDelta& delta);

/// Adds the cause to the finding: after the first sentence of the summary, to the evidence, and as
/// the first action; if it is certain, in place of advice to find it.
void add_cause(Finding& finding, const Listener& listener, const NamespaceDelta& delta);

}  // namespace inetdiag::diagnosis
