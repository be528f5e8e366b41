// What the diagnosis has to say: one value, shown as text, as a page and as JSON.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "exporter/diagnosis/backlog.h"
#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/snapshot.h"

namespace inetdiag::diagnosis {

/// How much of a limit is used.
struct Usage {
  std::string name;      ///< `timewait sockets`
  std::string resource;  ///< `net.ipv4.tcp_max_tw_buckets`, or which queue
  std::string netns;
  std::string pod;
  double used = 0;
  double limit = 0;
  double ratio = 0;  ///< 1: the limit acts
  bool is_bytes = false;
};

/// ` in pod shop/web-0`, ` in namespace blue`, or nothing for the exporter's own.
std::string where(const std::string& netns, const std::string& pod);

/// A row of the table of listeners.
struct ListenerRow {
  Listener listener;
  std::string netns;
  std::string pod;
  BacklogLimit limit = BacklogLimit::unknown;
  std::optional<double> new_drops;
};

struct Status {
  std::chrono::system_clock::time_point time;
  std::string host;
  std::optional<double> seconds_since_previous;
  std::vector<Finding> findings;       ///< worst first
  std::vector<ListenerRow> listeners;  ///< nearest to their limit first
  std::vector<Usage> usages;           ///< in the order of the queues on a packet's way
  std::vector<CollectorOutcome> collectors;

  /// Of the worst finding; absent where nothing was found.
  std::optional<Severity> severity() const;
  /// The usage nearest to its limit; null where none is known.
  const Usage* closest() const;
  /// Whether the listeners, without which nothing can be said, were not told.
  bool is_incomplete() const;
};

struct TimedSnapshot {
  std::chrono::steady_clock::time_point time;
  Snapshot snapshot;
};

/// `before` may be null: then nothing is known of growth.
Status diagnose(const TimedSnapshot& now, const TimedSnapshot* before);

}  // namespace inetdiag::diagnosis
