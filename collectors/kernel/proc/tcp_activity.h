// Whether the TCP sockets of a network namespace can be other than they were, by its counters: a
// pass over them pays for the sockets of the whole host.
#pragma once

#include <optional>

#include "collectors/kernel/proc/shared_files.h"

namespace inetdiag::kernel {

struct TcpActivity {
  /// Segments ever received and sent, and connections begun. While they stand still, no connection
  /// changes its state but by a timeout. Absent where net/snmp does not tell.
  std::optional<double> segments;
  /// Whether there is any but half-open ones, as far as net/sockstat and sockstat6 tell.
  bool has_sockets = true;

  bool cannot_have_connections() const { return !has_sockets || segments == 0; }
  bool stands_still_since(const TcpActivity& before) const {
    return segments && segments == before.segments;
  }
};

/// Throws as SharedFiles::read() does.
TcpActivity tcp_activity(SharedFiles& proc);

}  // namespace inetdiag::kernel
