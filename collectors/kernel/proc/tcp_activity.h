// Detects from counters whether the TCP sockets of a network namespace can have changed. A dump is
// more expensive, because it walks the sockets of all namespaces, which share one hash table.
#pragma once

#include <optional>

#include "collectors/kernel/proc/cached_files.h"

namespace inetdiag::kernel {

struct TcpActivity {
  /// Sum of Tcp InSegs, OutSegs and ActiveOpens. While it does not change, sockets change state
  /// only by timeouts. Absent if net/snmp does not have them.
  std::optional<double> segments;
  /// Whether net/sockstat or net/sockstat6 count any socket. They do not count request sockets.
  /// True if they are missing.
  bool has_sockets = true;

  bool has_no_connections() const { return !has_sockets || segments == 0; }
  bool is_unchanged_since(const TcpActivity& before) const {
    return segments && segments == before.segments;
  }
};

/// Throws as CachedFiles::read().
TcpActivity tcp_activity(CachedFiles& proc);

}  // namespace inetdiag::kernel
