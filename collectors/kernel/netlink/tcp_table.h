// The TCP sockets of one network namespace (inet_diag), counted while a dump is received: memory
// grows with the number of listeners, not with the number of connections.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/memoized.h"
#include "collectors/kernel/netlink/connection_info.h"
#include "collectors/kernel/netlink/destinations.h"
#include "collectors/kernel/netlink/endpoint.h"
#include "collectors/kernel/netlink/inet_diag.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag::kernel {

/// One socket in state LISTEN.
struct Listener {
  Endpoint endpoint;
  std::uint64_t cookie = 0;
  std::uint32_t inode = 0;    ///< of the socket's file; 0 if no process has it open
  std::uint32_t waiting = 0;  ///< connections in the accept queue
  std::uint32_t backlog = 0;  ///< min(listen() argument, somaxconn at the time of listen())
  bool v6_only = false;
  std::optional<std::uint32_t> drops;
  std::optional<std::uint64_t> cgroup_id;
};

/// The accept queue of one socket in LISTEN.
struct AcceptQueue {
  Endpoint endpoint;
  std::uint64_t cookie = 0;
  std::uint32_t waiting = 0;
  std::uint32_t backlog = 0;

  /// The queue holds one connection more than the backlog (sk_acceptq_is_full: length > backlog).
  double fill() const { return static_cast<double>(waiting) / (static_cast<double>(backlog) + 1); }
};

/// Returns the accept queues that are not empty. The cheapest of the dumps: the kernel walks its
/// listening hash, and adds no memory information. Throws as dump() and check_kept_sockets().
std::vector<AcceptQueue> waiting_accept_queues(Netlink& netlink, const Deadline& deadline);

/// Finds the listener of a request socket as the kernel does (net/ipv4/inet_hashtables.c,
/// __inet_lookup_listener and compute_score): an exact address before the wildcard, a listener
/// bound to the device before an unbound one, the request's family before a dual-stack listener.
class ListenerIndex {
 public:
  explicit ListenerIndex(const std::vector<Listener>& listeners);

  /// Returns nullptr if there is no listener.
  const Endpoint* find(const InetAddress& destination, std::uint16_t port,
                       std::uint32_t device) const;

 private:
  const Endpoint* find_address(const Endpoint& wanted, bool for_ipv4) const;

  std::map<Endpoint, bool> accepts_ipv4_;
};

using StateCounts = std::array<std::uint64_t, tcp_state_slots>;

/// Result of a dump of all states except ESTABLISHED and TIME_WAIT, which most sockets are in. The
/// kernel still walks those sockets, at about a sixth of the cost of reporting them.
struct PartialDump {
  /// ESTABLISHED and TIME_WAIT are 0, except in FullDump::partial.
  StateCounts by_state{};
  /// Timewait minisockets in FIN_WAIT2; `tw` of /proc/net/sockstat includes them.
  std::uint64_t timewait_in_fin_wait2 = 0;
  /// Sockets in SYN_RECV that are request sockets; `inuse` of /proc/net/sockstat does not have
  /// them.
  std::uint64_t request_sockets = 0;
  /// Request sockets (SYN_RECV) by listener. Has no entry for an empty SYN queue.
  std::map<Endpoint, std::uint64_t> syn_queue;
  /// Those of them whose SYN-ACK was retransmitted.
  std::map<Endpoint, std::uint64_t> syn_queue_retransmitted;
  /// Sockets in SYN_SENT whose SYN was retransmitted, without those that connect to a listener of
  /// the same namespace.
  std::uint64_t syn_sent_retransmitted = 0;
  /// Sockets in FIN_WAIT1 or LAST_ACK that retransmit, or probe the closed window of the peer.
  std::uint64_t stalled_closes = 0;
};

/// The connected sockets of some local ports. An open connection is in ESTABLISHED or CLOSE_WAIT.
struct Connections {
  StateCounts by_state{};
  /// Open connections that have retransmitted their oldest segment at least twice in a row.
  std::uint64_t retransmitting = 0;
  /// Open connections that wait for the peer to open its window: it does not read.
  std::uint64_t probing_window = 0;
  /// Open connections whose peer has not answered a keepalive probe.
  std::uint64_t keepalive_unanswered = 0;
  /// Sockets in ESTABLISHED that a program has accepted or opened, with bytes that it has not read.
  std::uint64_t unread = 0;
  /// Of the cookies and queue lengths of those: equal in two dumps if no byte was read or received.
  std::uint64_t unread_fingerprint = 0;
  std::uint32_t longest_receive_queue = 0;  ///< bytes
  std::uint32_t longest_send_queue = 0;     ///< bytes
  ConnectionInfo info;  ///< of the open connections; empty without FullDumpOptions::with_info

  Connections& operator+=(const Connections& other);
};

struct FullDumpOptions {
  std::optional<EphemeralPorts> ephemeral_ports{};  ///< to count them by destination
  /// Request struct tcp_info, which makes the dump about a third more expensive.
  bool with_info = false;
};

/// Result of a dump of all states. Its cost grows with the number of sockets.
struct FullDump {
  PartialDump partial;
  /// By local port, for ports with a listener.
  std::unordered_map<std::uint16_t, Connections> by_listening_port;
  /// Those whose local port has no listener.
  Connections without_listener;
  std::uint64_t receive_queue_bytes = 0;
  std::uint64_t send_queue_bytes = 0;
  /// Absent if the ephemeral ports are unknown.
  std::optional<DestinationsInUse> destinations;
};

/// Connections in the accept queue of a listener.
struct WaitingConnections {
  std::uint64_t count = 0;
  std::uint64_t closed_by_peer = 0;  ///< in CLOSE_WAIT
  std::uint64_t with_data = 0;       ///< the client has sent data
  /// Age of the oldest. Before accept() nobody can send data, so it is the time since the
  /// connection was established (net/ipv4/tcp_minisocks.c, tcp_create_openreq_child, lsndtime).
  std::chrono::milliseconds oldest{0};
  /// 0 if others are nearly as old: the order within a few jiffies is unknown.
  std::uint64_t oldest_cookie = 0;
  std::uint64_t old = 0;      ///< of the requested age or older
  std::uint64_t watched = 0;  ///< with one of the requested cookies
};

/// The connections that wait at listeners on some ports. A listener without any has no entry.
struct WaitingConnectionsDump {
  std::set<std::uint16_t> ports;
  std::map<Endpoint, WaitingConnections> by_endpoint;
};

struct DumpNotDue : std::runtime_error {
  DumpNotDue() : std::runtime_error("TCP dump is not due") {}
};

/// Whether connected sockets may be dumped in this scrape.
struct DumpPolicy {
  bool is_due = true;
  /// Result of the previous dump, used if none is due.
  std::shared_ptr<const PartialDump> last{};
  bool allows_waiting_connections = true;
};

/// The TCP dumps that the collectors of one scrape share. Makes each dump at most once.
class TcpTable {
 public:
  /// Dumps of connected sockets time out before `deadline`: the scrape can finish without them.
  TcpTable(NetlinkFactory open, const Deadline& deadline, DumpPolicy policy = {});

  /// Returns the sockets in LISTEN. The kernel walks only its listening hash. Throws as
  /// dump() and check_kept_sockets().
  const std::vector<Listener>& listeners();

  /// Returns the partial dump, that of full_dump() if it has completed, or DumpPolicy::last if no
  /// dump is due. Throws as dump(), and DumpNotDue without a previous dump.
  const PartialDump& partial_dump();

  /// Returns the dump that partial_dump() made, or nullptr if it made none.
  const PartialDump* partial_dump_if_taken() { return partial_dump_.value_if_ready(); }

  /// Returns the full dump. Times out early enough for a partial dump. Throws as dump(), and
  /// DumpNotDue.
  const FullDump& full_dump(const FullDumpOptions& options = {});

  /// Returns the full dump that another collector takes or has taken in this scrape, or nullptr.
  /// Throws DeadlineExceeded.
  const FullDump* full_dump_if_taken() { return full_dump_.value_if_started(deadline_); }

  /// Returns the connections that wait for accept() at listeners on `ports`, and how many of them
  /// are of `old_age` or have one of the cookies `watched`. The kernel walks all connected sockets,
  /// and reports those on the ports. Throws as dump(), and DumpNotDue.
  std::map<Endpoint, WaitingConnections> waiting_connections(
      const std::vector<std::uint16_t>& ports, std::chrono::milliseconds old_age,
      const std::set<std::uint64_t>& watched);
  bool has_read_waiting_connections() const { return has_read_waiting_connections_; }

  /// Returns the result of waiting_connections(), if a collector has called it in this scrape.
  std::optional<WaitingConnectionsDump> waiting_connections_if_read() const;

 private:
  std::vector<Listener> dump_listeners() const;
  PartialDump take_partial_dump();
  FullDump take_full_dump(const FullDumpOptions& options);

  NetlinkFactory open_;
  Deadline deadline_;
  Deadline partial_dump_deadline_;
  Deadline full_dump_deadline_;
  DumpPolicy policy_;
  std::atomic<bool> has_read_waiting_connections_ = false;
  mutable std::mutex mutex_;
  std::optional<WaitingConnectionsDump> waiting_connections_;
  Memoized<std::vector<Listener>> listeners_;
  Memoized<PartialDump> partial_dump_;
  Memoized<FullDump> full_dump_;
};

}  // namespace inetdiag::kernel
