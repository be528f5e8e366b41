#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/diagnosis/labels.h"

namespace inetdiag::diagnosis {

enum class Severity { notice, warning, critical };

constexpr std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::critical:
      return "critical";
    case Severity::warning:
      return "warning";
    default:
      return "notice";
  }
}

/// The subject of a finding.
struct Affected {
  /// listener, udp_socket, unix_listener, socket, port, limit, device, cpu, namespace or
  /// collector.
  std::string kind;
  std::string name;   ///< for display
  LabelMap labels{};  ///< as on the series of /metrics
};

/// How bad a finding is among those of its severity; compared in this order.
struct Damage {
  double per_second = 0;   ///< connections, packets or datagrams that were dropped
  double share = 0;        ///< of a limit
  double age_seconds = 0;  ///< how long clients have waited
  auto operator<=>(const Damage&) const = default;
};

/// A problem that exists or is imminent: its evidence, the limit behind it and what to do.
struct Finding {
  Severity severity = Severity::notice;
  std::string rule{};  ///< stable identifier, such as accept_queue_full
  Affected affected{};
  std::string summary{};
  /// Values by name, absent if unknown. Names of sizes end in _bytes.
  std::vector<std::pair<std::string, std::optional<double>>> evidence{};
  std::string limit{};  ///< the limit that applies; empty if none does
  std::string action{};
  std::string metric{};  ///< the series to watch
  Damage damage{};
};

}  // namespace inetdiag::diagnosis
