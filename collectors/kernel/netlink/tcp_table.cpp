#include "collectors/kernel/netlink/tcp_table.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include <linux/inet_diag.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/inet_diag_filter.h"

namespace inetdiag::kernel {
namespace {

constexpr std::uint32_t connected_states =
    ((1U << tcp_state_slots) - 1) & ~1U & ~mask(TcpState::listen);

using Payload = std::span<const std::byte>;

// Shares of the time until the scrape deadline. They leave time for a partial dump if the full dump
// times out, and for the rest of the scrape.
constexpr double full_dump_share = 0.6;
constexpr double partial_dump_share = 0.8;

// tcpi_last_data_sent counts jiffies, of up to 10 ms: within two of them, the order is unknown.
constexpr std::chrono::milliseconds unordered_age{20};

/// Calls `each` for every socket of both families in `states` except listeners.
template <typename Each>
void dump_connected(const NetlinkFactory& open, std::uint32_t states, Extension extension,
                    const Deadline& deadline, Each each) {
  dump(open, TCPDIAG_GETSOCK, tcp_dump_payload(states, extension), deadline,
       [&](std::span<const std::byte> payload) {
         const auto socket = parse_inet_socket(payload);
         if (socket && socket->state != TcpState::listen) {
           each(*socket, payload);
         }
       });
}

/// Returns whether a socket in SYN_SENT connects to a listener of its own namespace. The kernel
/// selects the destination as the source address of a connection to an address of the host.
bool connects_to_itself(const InetSocket& socket, Payload payload, const ListenerIndex& index) {
  const InetPeer peer = parse_inet_peer(payload);
  return peer.address == socket.local &&
         index.find(peer.address, peer.port, socket.device) != nullptr;
}

void count(PartialDump& partial, const InetSocket& socket, Payload payload,
           const ListenerIndex& index) {
  ++partial.by_state[slot(socket.state)];
  if (socket.state == TcpState::fin_wait2 && socket.is_timewait()) {
    ++partial.timewait_in_fin_wait2;
  }
  // A full socket in SYN_RECV uses TCP Fast Open and is in the accept queue already.
  if (socket.state == TcpState::syn_recv && !parse_inet_attributes(payload).is_full_socket) {
    ++partial.request_sockets;
    if (const Endpoint* listener = index.find(socket.local, socket.local_port, socket.device)) {
      ++partial.syn_queue[*listener];
      if (socket.retransmissions > 0) {
        ++partial.syn_queue_retransmitted[*listener];
      }
    }
  }
  const bool is_closing = socket.state == TcpState::fin_wait1 || socket.state == TcpState::last_ack;
  if (is_closing &&
      (socket.retransmissions > 0 || socket.timer == SocketTimer::zero_window_probe)) {
    ++partial.stalled_closes;
  }
  if (socket.state == TcpState::syn_sent && socket.retransmissions > 0 &&
      !connects_to_itself(socket, payload, index)) {
    ++partial.syn_sent_retransmitted;
  }
}

/// Mixes the bits, so that a sum of fingerprints differs if one of them does (splitmix64).
std::uint64_t fingerprint(std::uint64_t cookie, std::uint32_t length) {
  std::uint64_t mixed = (cookie + 1) * 0x9e3779b97f4a7c15U + length;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

/// A timer that has expired meanwhile is negative.
bool is_later_than(std::uint32_t timer_ms, std::uint32_t limit_ms) {
  return timer_ms > limit_ms && std::in_range<std::int32_t>(timer_ms);
}

void add(Connections& connections, const InetSocket& socket, Payload payload, bool with_info) {
  ++connections.by_state[slot(socket.state)];
  if ((mask(socket.state) & (mask(TcpState::established) | mask(TcpState::close_wait))) == 0) {
    return;
  }
  // A single retransmission is usual on a lossy path.
  constexpr std::uint8_t min_retransmissions = 2;
  connections.retransmitting += static_cast<std::uint64_t>(
      socket.timer == SocketTimer::retransmission && socket.retransmissions >= min_retransmissions);
  // Data that a program holds back (TCP_CORK, MSG_MORE) starts this timer too, for one
  // retransmission timeout: the round-trip time and 200 ms or more. The interval of probes grows.
  constexpr std::uint32_t max_cork_ms = 1000;
  connections.probing_window += static_cast<std::uint64_t>(
      socket.timer == SocketTimer::zero_window_probe &&
      (is_later_than(socket.timer_ms, max_cork_ms) || socket.retransmissions > 0));
  connections.keepalive_unanswered += static_cast<std::uint64_t>(
      socket.timer == SocketTimer::keepalive && socket.retransmissions > 0);
  if (socket.state == TcpState::established && socket.receive_queue > 0 &&
      parse_inet_peer(payload).inode != 0) {
    ++connections.unread;
    connections.unread_fingerprint += fingerprint(socket.cookie, socket.receive_queue);
  }
  connections.longest_receive_queue =
      std::max(connections.longest_receive_queue, socket.receive_queue);
  connections.longest_send_queue = std::max(connections.longest_send_queue, socket.send_queue);
  if (with_info) {
    if (const auto info = parse_inet_attributes(payload).info) {
      connections.info.add(*info);
    }
  }
}

/// Counts sockets by local port and state. Indexed by port, because there is a lookup for every
/// socket.
class PortCounts {
 public:
  PortCounts(const std::vector<Listener>& listeners, bool with_info)
      : with_info_(with_info),
        index_by_port_(std::numeric_limits<std::uint16_t>::max() + 1U),
        counts_(1) {
    for (const Listener& listener : listeners) {
      auto& index = index_by_port_[listener.endpoint.port];
      if (index == 0) {
        index = static_cast<std::uint32_t>(counts_.size());
        counts_.emplace_back();
        ports_.push_back(listener.endpoint.port);
      }
    }
  }

  void count(const InetSocket& socket, Payload payload) {
    add(counts_[index_by_port_[socket.local_port]], socket, payload, with_info_);
  }

  void move_into(FullDump& full_dump) {
    full_dump.without_listener = counts_.front();
    for (const std::uint16_t port : ports_) {
      full_dump.by_listening_port.emplace(port, counts_[index_by_port_[port]]);
    }
  }

 private:
  bool with_info_;
  std::vector<std::uint32_t> index_by_port_;  // into counts_; 0: no listener
  std::vector<Connections> counts_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace

std::vector<AcceptQueue> waiting_accept_queues(Netlink& netlink, const Deadline& deadline) {
  std::vector<AcceptQueue> queues;
  dump(netlink, TCPDIAG_GETSOCK, tcp_dump_payload(mask(TcpState::listen), Extension::none),
       deadline, [&](Payload payload) {
         const auto socket = parse_inet_socket(payload);
         if (socket && socket->state == TcpState::listen && socket->receive_queue > 0) {
           queues.push_back({.endpoint = {socket->local, socket->local_port, socket->device},
                             .cookie = socket->cookie,
                             .waiting = socket->receive_queue,
                             .backlog = socket->send_queue});
           check_kept_sockets(queues.size(), "TCP listeners");
         }
       });
  return queues;
}

Connections& Connections::operator+=(const Connections& other) {
  std::ranges::transform(by_state, other.by_state, by_state.begin(), std::plus<>());
  retransmitting += other.retransmitting;
  probing_window += other.probing_window;
  keepalive_unanswered += other.keepalive_unanswered;
  unread += other.unread;
  unread_fingerprint += other.unread_fingerprint;
  longest_receive_queue = std::max(longest_receive_queue, other.longest_receive_queue);
  longest_send_queue = std::max(longest_send_queue, other.longest_send_queue);
  info += other.info;
  return *this;
}

ListenerIndex::ListenerIndex(const std::vector<Listener>& listeners) {
  for (const Listener& listener : listeners) {
    accepts_ipv4_[listener.endpoint] =
        listener.endpoint.address.family == AF_INET || !listener.v6_only;
  }
}

const Endpoint* ListenerIndex::find_address(const Endpoint& wanted, bool for_ipv4) const {
  for (const std::uint32_t device : {wanted.device, 0U}) {
    const auto found = accepts_ipv4_.find({wanted.address, wanted.port, device});
    if (found != accepts_ipv4_.end() && (!for_ipv4 || found->second)) {
      return &found->first;
    }
  }
  return nullptr;
}

const Endpoint* ListenerIndex::find(const InetAddress& destination, std::uint16_t port,
                                    std::uint32_t device) const {
  // The kernel reports an IPv4 SYN to a dual-stack listener as ::ffff:a.b.c.d.
  const std::optional<InetAddress> unmapped = destination.unmapped();
  const bool for_ipv4 = destination.family == AF_INET || unmapped.has_value();
  const InetAddress other_form = !for_ipv4 ? destination : unmapped.value_or(destination.mapped());
  const InetAddress own_wildcard = InetAddress::any(destination.family);
  const InetAddress other_wildcard = InetAddress::any(other_form.family);
  const InetAddress mapped_wildcard = InetAddress::any(AF_INET).mapped();
  for (const InetAddress& address :
       {destination, other_form, own_wildcard, mapped_wildcard, other_wildcard}) {
    if (const Endpoint* found = find_address({address, port, device}, for_ipv4)) {
      return found;
    }
  }
  return nullptr;
}

TcpTable::TcpTable(NetlinkFactory open, const Deadline& deadline, DumpPolicy policy)
    : open_(std::move(open)),
      deadline_(deadline),
      partial_dump_deadline_(deadline.share(partial_dump_share)),
      full_dump_deadline_(deadline.share(full_dump_share)),
      policy_(std::move(policy)) {}

const std::vector<Listener>& TcpTable::listeners() {
  return listeners_.get(deadline_, [this] { return dump_listeners(); });
}

const PartialDump& TcpTable::partial_dump() {
  if (const FullDump* full_dump = full_dump_.value_if_ready()) {
    return full_dump->partial;
  }
  if (!policy_.is_due) {
    if (!policy_.last) {
      throw DumpNotDue();
    }
    return *policy_.last;
  }
  return partial_dump_.get(partial_dump_deadline_, [this] { return take_partial_dump(); });
}

const FullDump& TcpTable::full_dump(const FullDumpOptions& options) {
  if (!policy_.is_due) {
    throw DumpNotDue();
  }
  return full_dump_.get(full_dump_deadline_, [&] { return take_full_dump(options); });
}

std::map<Endpoint, WaitingConnections> TcpTable::waiting_connections(
    const std::vector<std::uint16_t>& ports, std::chrono::milliseconds old_age,
    const std::set<std::uint64_t>& watched) {
  if (!policy_.allows_waiting_connections) {
    throw DumpNotDue();
  }
  has_read_waiting_connections_ = true;
  std::set<std::uint16_t> dumped_ports(ports.begin(), ports.end());
  const ListenerIndex index(listeners());
  std::map<Endpoint, WaitingConnections> waiting;
  InetFilter filter{.states = mask(TcpState::established) | mask(TcpState::close_wait)};
  for (const std::uint16_t port : ports) {
    filter.ports.push_back({port, port});
  }
  const InetRequest request = tcp_request(filter, true);
  dump(open_, request.type, request.payload, partial_dump_deadline_, [&](Payload payload) {
    const auto socket = parse_inet_socket(payload);
    // accept() gives a connection its file. Without one it cannot have been closed by a program
    // either, or it would not be in these states.
    if (!socket || parse_inet_peer(payload).inode != 0) {
      return;
    }
    const Endpoint* listener = index.find(socket->local, socket->local_port, socket->device);
    const auto info = parse_inet_attributes(payload).info;
    if (listener != nullptr && info) {
      const std::chrono::milliseconds age(info->last_sent_ms);
      WaitingConnections& connections = waiting[*listener];
      ++connections.count;
      // A FIN counts as one byte of the receive queue (tcp_diag_get_info, rcv_nxt - copied_seq).
      const std::uint32_t fin = socket->state == TcpState::close_wait ? 1 : 0;
      connections.closed_by_peer += fin;
      connections.with_data += socket->receive_queue > fin ? 1U : 0U;
      const auto older_by = age - connections.oldest;
      if (connections.count == 1 || older_by > unordered_age) {
        connections.oldest_cookie = socket->cookie;
      } else if (older_by >= -unordered_age) {
        connections.oldest_cookie = 0;
      }
      connections.oldest = std::max(connections.oldest, age);
      connections.watched += watched.contains(socket->cookie) ? 1U : 0U;
      connections.old += age >= old_age ? 1U : 0U;
    }
  });
  const std::scoped_lock lock(mutex_);
  waiting_connections_ = {.ports = std::move(dumped_ports), .by_endpoint = waiting};
  return waiting;
}

std::optional<WaitingConnectionsDump> TcpTable::waiting_connections_if_read() const {
  const std::scoped_lock lock(mutex_);
  return waiting_connections_;
}

std::vector<Listener> TcpTable::dump_listeners() const {
  std::vector<Listener> listeners;
  std::set<std::uint64_t> cookies;  // a dump may report a socket twice while the table changes
  dump(open_, TCPDIAG_GETSOCK, tcp_dump_payload(mask(TcpState::listen), Extension::memory_info),
       deadline_, [&](std::span<const std::byte> payload) {
         const auto socket = parse_inet_socket(payload);
         if (!socket || socket->state != TcpState::listen ||
             !cookies.insert(socket->cookie).second) {
           return;
         }
         const InetAttributes attributes = parse_inet_attributes(payload);
         listeners.push_back({.endpoint = {socket->local, socket->local_port, socket->device},
                              .cookie = socket->cookie,
                              .inode = parse_inet_peer(payload).inode,
                              .waiting = socket->receive_queue,
                              .backlog = socket->send_queue,
                              .v6_only = attributes.v6_only.value_or(false),
                              .drops = attributes.drops,
                              .cgroup_id = attributes.cgroup_id});
         check_kept_sockets(listeners.size(), "TCP listeners");
       });
  return listeners;
}

PartialDump TcpTable::take_partial_dump() {
  const ListenerIndex index(listeners());
  PartialDump partial;
  constexpr std::uint32_t states =
      connected_states & ~mask(TcpState::established) & ~mask(TcpState::time_wait);
  dump_connected(
      open_, states, Extension::none, partial_dump_deadline_,
      [&](const InetSocket& socket, Payload payload) { count(partial, socket, payload, index); });
  partial.by_state[slot(TcpState::listen)] = listeners().size();
  return partial;
}

FullDump TcpTable::take_full_dump(const FullDumpOptions& options) {
  const ListenerIndex index(listeners());
  PortCounts ports(listeners(), options.with_info);
  std::optional<DestinationCounter> destinations;
  if (options.ephemeral_ports) {
    EphemeralPorts usable = *options.ephemeral_ports;
    for (const Listener& listener : listeners()) {
      usable.ports.reset(listener.endpoint.port);
    }
    destinations.emplace(usable);
  }
  FullDump full_dump;
  const Extension extension = options.with_info ? Extension::tcp_info : Extension::none;
  dump_connected(open_, connected_states, extension, full_dump_deadline_,
                 [&](const InetSocket& socket, Payload payload) {
                   count(full_dump.partial, socket, payload, index);
                   if (socket.state != TcpState::close) {
                     ports.count(socket, payload);
                     full_dump.receive_queue_bytes += socket.receive_queue;
                     full_dump.send_queue_bytes += socket.send_queue;
                   }
                   if (destinations) {
                     destinations->add(socket, payload);
                   }
                 });
  full_dump.partial.by_state[slot(TcpState::listen)] = listeners().size();
  ports.move_into(full_dump);
  if (destinations) {
    full_dump.destinations = destinations->result();
  }
  return full_dump;
}

}  // namespace inetdiag::kernel
