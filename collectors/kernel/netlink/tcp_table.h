// The TCP sockets of one network namespace, asked over inet_diag and counted while the answer
// streams in: memory grows with the number of listeners, never with the number of sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/memoized.h"
#include "collectors/kernel/netlink/endpoint.h"
#include "collectors/kernel/netlink/inet_diag.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag::kernel {

/// One socket in state LISTEN.
struct Listener {
  Endpoint endpoint;
  std::uint64_t cookie = 0;
  std::uint32_t waiting = 0;  ///< connections in the accept queue
  std::uint32_t backlog = 0;  ///< min(listen() argument, somaxconn at the time of listen())
  bool v6_only = false;
  std::optional<std::uint32_t> drops;
  std::optional<std::uint64_t> cgroup_id;
};

/// Which listener a SYN belongs to, by the order of the kernel's own lookup
/// (net/ipv4/inet_hashtables.c, __inet_lookup_listener and compute_score): the exact address before
/// the wildcard, a listener bound to the device before one that is not, the request's own family
/// before a dual-stack listener.
class ListenerIndex {
 public:
  explicit ListenerIndex(const std::vector<Listener>& listeners);

  const Endpoint* find(const InetAddress& destination, std::uint16_t port,
                       std::uint32_t device) const;

 private:
  const Endpoint* find_address(const Endpoint& wanted, bool for_ipv4) const;

  std::map<Endpoint, bool> takes_ipv4_;
};

using StateCounts = std::array<std::uint64_t, tcp_state_slots>;

/// What a pass over the table of connected sockets counts without being told of those in
/// ESTABLISHED and TIME_WAIT, which a host has most of: to walk over a socket costs the kernel a
/// sixth of what it costs to tell of it.
struct PartialDump {
  /// Without ESTABLISHED and TIME_WAIT, unless it is part of a FullDump.
  StateCounts by_state{};
  /// Timewait minisockets among those in FIN_WAIT2: sockstat's `tw` counts them too.
  std::uint64_t timewait_in_fin_wait2 = 0;
  /// SYN_RECV, by the listener that it belongs to; a listener without any is not in it.
  std::map<Endpoint, std::uint64_t> syn_queue;
};

/// What a pass that is told of every socket counts.
struct FullDump {
  PartialDump partial;
  /// Connected sockets by local port, for the ports that have a listener.
  std::unordered_map<std::uint16_t, StateCounts> by_listening_port;
  /// Connected sockets whose local port has no listener.
  StateCounts elsewhere{};
  std::uint64_t receive_queue_bytes = 0;
  std::uint64_t send_queue_bytes = 0;
};

/// Thrown where a pass over connected sockets is asked for that may not be made now.
struct DumpNotDue : std::runtime_error {
  DumpNotDue() : std::runtime_error("a pass over the TCP sockets is not due") {}
};

/// Whether a pass over the table of connected sockets may be made; else the last one stands.
struct DumpPolicy {
  bool is_due = true;
  std::shared_ptr<const PartialDump> last{};
};

/// The questions that the collectors of one scrape share, each asked once.
class TcpTable {
 public:
  /// A pass over the table of connected sockets is given up before `deadline`, so that what depends
  /// on it fails in time for the rest of the page.
  TcpTable(NetlinkFactory open, const Deadline& deadline, DumpPolicy permission = {});

  /// The listening hash alone; never touches connected sockets. Throws as dump() does.
  const std::vector<Listener>& listeners();

  /// One pass without ESTABLISHED and TIME_WAIT; none where the census was taken before. Throws as
  /// dump() does, and DumpNotDue.
  const PartialDump& partial_dump();

  /// The pass that partial_dump() took, if it did.
  const PartialDump* partial_dump_if_taken() { return partial_dump_.answer(); }

  /// One pass that tells of every socket, given up in time for a walk. Throws as dump() does, and
  /// DumpNotDue.
  const FullDump& full_dump();

 private:
  std::vector<Listener> dump_listeners() const;
  PartialDump take_partial_dump();
  FullDump take_full_dump();

  NetlinkFactory open_;
  Deadline deadline_;
  Deadline partial_dump_deadline_;
  Deadline full_dump_deadline_;
  DumpPolicy permission_;
  Memoized<std::vector<Listener>> listeners_;
  Memoized<PartialDump> partial_dump_;
  Memoized<FullDump> full_dump_;
};

}  // namespace inetdiag::kernel
