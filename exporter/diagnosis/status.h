// The result of the diagnosis, which is rendered as text, HTML and JSON.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "exporter/diagnosis/backlog.h"
#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// The usage of a limit.
struct Usage {
  std::string name{};      ///< `timewait sockets`
  std::string resource{};  ///< a sysctl such as `net.ipv4.tcp_max_tw_buckets`, or a queue
  std::string netns{};
  std::string pod{};
  double used = 0;
  double limit = 0;
  double ratio = 0;  ///< 1: the limit is reached
  bool is_bytes = false;
};

struct ListenerRow {
  Listener listener;
  std::string netns;
  std::string pod;
  BacklogLimit limit = BacklogLimit::unknown;
  std::optional<double> new_listen_drops;
  double aggregated = 0;    ///< listeners in the row, if it is the aggregate
  bool is_sampled = false;  ///< accept queues of the namespace are sampled between scrapes
};

struct Status {
  std::chrono::system_clock::time_point time;
  std::string host;
  std::optional<double> seconds_since_previous;
  std::vector<Finding> findings;       ///< worst first
  std::vector<ListenerRow> listeners;  ///< fullest first
  std::vector<Usage> usages;           ///< highest ratio first
  std::vector<CollectorOutcome> collectors;

  /// Returns the severity of the worst finding; absent without findings.
  std::optional<Severity> severity() const;
  /// Returns the usage closest to its limit; null if none is known.
  const Usage* closest() const;
  /// Returns whether listeners, the main input of the rules, are missing.
  bool is_incomplete() const;
};

struct TimedSnapshot {
  std::chrono::steady_clock::time_point time;
  Snapshot snapshot;
};

/// Without `before` (null), growth is unknown.
Status diagnose(const TimedSnapshot& now, const TimedSnapshot* before);

}  // namespace inetdiag::diagnosis
