// The queues of a host and how full they are, for `check --watch`.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "exporter/diagnosis/status.h"

namespace inetdiag::diagnosis {

enum class QueueKind { accept, syn, udp, unix_accept };

/// Identifies a queue among the snapshots.
struct QueueKey {
  QueueKind kind = QueueKind::accept;
  std::string netns{};
  std::string name{};
  auto operator<=>(const QueueKey&) const = default;
};

struct QueueFill {
  QueueKey key{};
  std::string pod{};
  std::string owner{};
  double used = 0;
  double limit = 0;
  double ratio = 0;  ///< 1: full
  bool is_bytes = false;
};

/// Returns the accept and SYN queues of `status`, and the UDP and UNIX queues of the snapshot that
/// it was made from.
std::vector<QueueFill> queue_fills(const Status& status, const Snapshot& snapshot);

}  // namespace inetdiag::diagnosis
