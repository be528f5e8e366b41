#include "collectors/kernel/netlink/tcp_table.h"

#include <limits>
#include <set>
#include <utility>

#include <linux/inet_diag.h>
#include <sys/socket.h>

namespace inetdiag::kernel {
namespace {

constexpr std::uint32_t connected_states =
    ((1U << tcp_state_slots) - 1) & ~1U & ~mask(TcpState::listen);

using Payload = std::span<const std::byte>;

// Of the time that a scrape has: the census leaves enough for a walk, the walk for all else.
constexpr double full_dump_share = 0.6;
constexpr double partial_dump_share = 0.8;

/// Hands on each socket of both families in `states` but listeners.
template <typename Each>
void dump_connected(const NetlinkFactory& open, std::uint32_t states, const Deadline& deadline,
                    Each each) {
  dump(open, TCPDIAG_GETSOCK, tcp_dump_payload(states, false), deadline,
       [&](std::span<const std::byte> payload) {
         const auto socket = parse_inet_socket(payload);
         if (socket && socket->state != TcpState::listen) {
           each(*socket, payload);
         }
       });
}

void count(PartialDump& partial, const InetSocket& socket, Payload payload,
           const ListenerIndex& index) {
  ++partial.by_state[slot(socket.state)];
  if (socket.state == TcpState::fin_wait2 && socket.is_timewait) {
    ++partial.timewait_in_fin_wait2;
  }
  // A full socket in SYN_RECV is a TCP Fast Open one: it waits in the accept queue already.
  if (socket.state == TcpState::syn_recv && !parse_inet_attributes(payload).is_full_socket) {
    if (const Endpoint* listener = index.find(socket.local, socket.local_port, socket.device)) {
      ++partial.syn_queue[*listener];
    }
  }
}

/// Counts by local port. A table over all ports, because a lookup happens for every socket.
class PortTally {
 public:
  explicit PortTally(const std::vector<Listener>& listeners)
      : tally_of_port_(std::numeric_limits<std::uint16_t>::max() + 1U), tallies_(1) {
    for (const Listener& listener : listeners) {
      auto& tally = tally_of_port_[listener.endpoint.port];
      if (tally == 0) {
        tally = static_cast<std::uint32_t>(tallies_.size());
        tallies_.emplace_back();
        ports_.push_back(listener.endpoint.port);
      }
    }
  }

  void count(const InetSocket& socket) {
    ++tallies_[tally_of_port_[socket.local_port]][slot(socket.state)];
  }

  void move_into(FullDump& full_dump) {
    full_dump.elsewhere = tallies_.front();
    for (const std::uint16_t port : ports_) {
      full_dump.by_listening_port.emplace(port, tallies_[tally_of_port_[port]]);
    }
  }

 private:
  std::vector<std::uint32_t> tally_of_port_;  // 0: no listener
  std::vector<StateCounts> tallies_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace

ListenerIndex::ListenerIndex(const std::vector<Listener>& listeners) {
  for (const Listener& listener : listeners) {
    takes_ipv4_[listener.endpoint] =
        listener.endpoint.address.family == AF_INET || !listener.v6_only;
  }
}

const Endpoint* ListenerIndex::find_address(const Endpoint& wanted, bool for_ipv4) const {
  for (const std::uint32_t device : {wanted.device, 0U}) {
    const auto found = takes_ipv4_.find({wanted.address, wanted.port, device});
    if (found != takes_ipv4_.end() && (!for_ipv4 || found->second)) {
      return &found->first;
    }
  }
  return nullptr;
}

const Endpoint* ListenerIndex::find(const InetAddress& destination, std::uint16_t port,
                                    std::uint32_t device) const {
  // An IPv4 SYN to a dual-stack listener is told as ::ffff:a.b.c.d.
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

TcpTable::TcpTable(NetlinkFactory open, const Deadline& deadline, DumpPolicy permission)
    : open_(std::move(open)),
      deadline_(deadline),
      partial_dump_deadline_(deadline.share(partial_dump_share)),
      full_dump_deadline_(deadline.share(full_dump_share)),
      permission_(std::move(permission)) {}

const std::vector<Listener>& TcpTable::listeners() {
  return listeners_.get(deadline_, [this] { return dump_listeners(); });
}

const PartialDump& TcpTable::partial_dump() {
  if (const FullDump* full_dump = full_dump_.answer()) {
    return full_dump->partial;
  }
  if (!permission_.is_due) {
    if (!permission_.last) {
      throw DumpNotDue();
    }
    return *permission_.last;
  }
  return partial_dump_.get(partial_dump_deadline_, [this] { return take_partial_dump(); });
}

const FullDump& TcpTable::full_dump() {
  if (!permission_.is_due) {
    throw DumpNotDue();
  }
  return full_dump_.get(full_dump_deadline_, [this] { return take_full_dump(); });
}

std::vector<Listener> TcpTable::dump_listeners() const {
  std::vector<Listener> listeners;
  std::set<std::uint64_t> cookies;  // a dump may tell of a socket twice while the table changes
  dump(open_, TCPDIAG_GETSOCK, tcp_dump_payload(mask(TcpState::listen), true), deadline_,
       [&](std::span<const std::byte> payload) {
         const auto socket = parse_inet_socket(payload);
         if (!socket || socket->state != TcpState::listen ||
             !cookies.insert(socket->cookie).second) {
           return;
         }
         const InetAttributes attributes = parse_inet_attributes(payload);
         listeners.push_back({.endpoint = {socket->local, socket->local_port, socket->device},
                              .cookie = socket->cookie,
                              .waiting = socket->receive_queue,
                              .backlog = socket->send_queue,
                              .v6_only = attributes.v6_only.value_or(false),
                              .drops = attributes.drops,
                              .cgroup_id = attributes.cgroup_id});
       });
  return listeners;
}

PartialDump TcpTable::take_partial_dump() {
  const ListenerIndex index(listeners());
  PartialDump partial;
  constexpr std::uint32_t rare =
      connected_states & ~mask(TcpState::established) & ~mask(TcpState::time_wait);
  dump_connected(
      open_, rare, partial_dump_deadline_,
      [&](const InetSocket& socket, Payload payload) { count(partial, socket, payload, index); });
  partial.by_state[slot(TcpState::listen)] = listeners().size();
  return partial;
}

FullDump TcpTable::take_full_dump() {
  const ListenerIndex index(listeners());
  PortTally ports(listeners());
  FullDump full_dump;
  dump_connected(open_, connected_states, full_dump_deadline_,
                 [&](const InetSocket& socket, Payload payload) {
                   count(full_dump.partial, socket, payload, index);
                   if (socket.state != TcpState::close) {
                     ports.count(socket);
                     full_dump.receive_queue_bytes += socket.receive_queue;
                     full_dump.send_queue_bytes += socket.send_queue;
                   }
                 });
  full_dump.partial.by_state[slot(TcpState::listen)] = listeners().size();
  ports.move_into(full_dump);
  return full_dump;
}

}  // namespace inetdiag::kernel
