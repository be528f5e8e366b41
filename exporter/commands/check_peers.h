// The peers of the ports that have a finding, for `check --peers`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/netlink/top_peers.h"
#include "exporter/diagnosis/finding.h"
#include "exporter/diagnosis/snapshot.h"
#include "exporter/exposition/json_writer.h"

namespace inetdiag {

/// The peers of one local port.
struct PortPeers {
  std::string netns{};  ///< value of the label `netns`; empty for this process's own
  std::uint16_t port = 0;
  /// Whether the connections in the accept queue and the SYN queue are counted, or else those in
  /// CLOSE_WAIT.
  bool is_queue = true;
  kernel::TopPeers peers;
  std::string error{};  ///< why the peers are unknown; empty if they are known
};

struct AffectedPeers {
  std::vector<PortPeers> ports;  ///< in the order of the findings
  std::size_t omitted = 0;       ///< ports beyond the maximum
};

/// Dumps the sockets of the ports of all findings on TCP listeners and ports, once for each network
/// namespace of the snapshot. Other namespaces must be pinned.
AffectedPeers peers_of_findings(const std::vector<diagnosis::Finding>& findings,
                                const diagnosis::Snapshot& snapshot,
                                const kernel::NetlinkFactory& open);

std::string affected_peers_text(const AffectedPeers& affected);

/// Writes the member `peers`.
void write_affected_peers(JsonWriter& json, const AffectedPeers& affected);

}  // namespace inetdiag
