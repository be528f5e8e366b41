#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// What a finding is about.
struct Affected {
  std::string
      kind;  ///< listener, udp_socket, unix_listener, port, limit, cpu, namespace or collector
  std::string name;                             ///< as a person reads it
  std::map<std::string, std::string> labels{};  ///< as the series of /metrics carry them
};

/// One thing that is wrong, or soon will be, with all that whoever reads it needs to act.
struct Finding {
  Severity severity = Severity::notice;
  std::string rule{};  ///< stable, such as accept_queue_full
  Affected affected{};
  std::string summary{};
  /// Figures, and what is not known; names end in _bytes where they are.
  std::vector<std::pair<std::string, std::optional<double>>> evidence{};
  std::string limit{};  ///< which limit binds; empty: none does
  std::string action{};
  std::string metric{};  ///< the series to watch
};

/// `metric{address="0.0.0.0",port="443"}`, as PromQL takes it.
std::string selector(std::string_view metric, const std::map<std::string, std::string>& labels);

}  // namespace inetdiag::diagnosis
