#include "collectors/udp.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netlink/udp_table.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/proc/sockstat.h"
#include "collectors/support/endpoint_groups.h"
#include "collectors/support/family_table.h"
#include "collectors/support/owner_labels.h"

namespace inetdiag {
namespace {

using kernel::Endpoint;
using kernel::UdpSocket;

/// The receive queue of one socket.
struct UdpReceiveQueue {
  std::uint64_t bytes = 0;
  std::uint64_t limit = 0;

  double fill() const {
    return limit > 0 ? static_cast<double>(bytes) / static_cast<double>(limit) : 0;
  }
};

UdpReceiveQueue fuller(const UdpReceiveQueue& a, const UdpReceiveQueue& b) {
  // The size decides between equal ratios, so that the order of the dump does not.
  const auto order = [](const UdpReceiveQueue& queue) {
    return std::tuple(queue.fill(), queue.bytes, queue.limit);
  };
  return order(a) < order(b) ? b : a;
}

/// Whether a socket does more than wait for the answer to a request, as clients do.
bool is_notable(const UdpSocket& socket) {
  return socket.drops > 0 ||
         UdpReceiveQueue{socket.receive_queue, socket.receive_limit}.fill() >= notable_fill;
}

/// The sockets of one endpoint, or an aggregate.
struct UdpGroup {
  bool is_aggregate = false;
  std::uint64_t sockets = 0;
  std::uint64_t queue_bytes = 0;
  std::uint64_t limit_bytes = 0;
  UdpReceiveQueue fullest{};
  std::vector<SocketDrops> member_drops{};
  std::uint64_t drops = 0;
  std::set<kernel::CgroupId> cgroups{};  ///< empty in an aggregate

  void add(const UdpSocket& socket) {
    ++sockets;
    queue_bytes += socket.receive_queue;
    limit_bytes += socket.receive_limit;
    fullest = fuller(fullest, {socket.receive_queue, socket.receive_limit});
    if (socket.drops > 0) {
      member_drops.push_back({socket.cookie, socket.drops});
    }
  }

  void add_owner(const UdpSocket& socket) {
    if (socket.cgroup_id) {
      cgroups.insert(*socket.cgroup_id);
    }
  }

  /// Drops are aggregated separately, because a counter must not decrease.
  void aggregate(const UdpGroup& group) {
    sockets += group.sockets;
    queue_bytes += group.queue_bytes;
    limit_bytes += group.limit_bytes;
    fullest = fuller(fullest, group.fullest);
  }

  bool is_notable() const { return drops > 0 || fullest.fill() >= notable_fill; }

  /// Returns the fullest queue where the sums can hide it.
  std::optional<UdpReceiveQueue> hidden_queue() const {
    const std::uint64_t visible_sockets = is_aggregate ? 0 : 1;
    return sockets > visible_sockets ? std::optional(fullest) : std::nullopt;
  }
};

using enum prometheus::MetricType;

constexpr auto udp_families = std::to_array<FamilySpec<UdpGroup>>({
    {Gauge, "inetdiag_udp_sockets",
     "Number of UDP sockets bound to this address and port, port=\"other\" for connected sockets "
     "and for those on an ephemeral port that have neither dropped a datagram nor had a half-full "
     "queue (udp_diag).",
     field<&UdpGroup::sockets>},
    {Gauge, "inetdiag_udp_receive_queue_bytes",
     "Memory of datagrams that the program has not read, with kernel overhead, summed over the "
     "sockets (udp_diag idiag_rqueue).",
     field<&UdpGroup::queue_bytes>},
    {Gauge, "inetdiag_udp_receive_queue_limit_bytes",
     "Size of the receive buffer (SO_RCVBUF), summed over the sockets (udp_diag "
     "SK_MEMINFO_RCVBUF).",
     field<&UdpGroup::limit_bytes>},
    {Gauge, "inetdiag_udp_receive_queue_fill_ratio",
     "Receive queue / receive buffer of the fullest socket; near 1 the kernel drops datagrams "
     "(udp_diag).",
     [](const UdpGroup& group) { return sample(group.fullest.fill()); }},
    {Gauge, "inetdiag_udp_fullest_receive_queue_bytes",
     "Receive queue of the fullest socket, where several sockets share these labels (udp_diag "
     "idiag_rqueue).",
     [](const UdpGroup& group) {
       const auto queue = group.hidden_queue();
       return queue ? sample(queue->bytes) : std::nullopt;
     }},
    {Gauge, "inetdiag_udp_fullest_receive_queue_limit_bytes",
     "Receive buffer of the fullest socket, where several sockets share these labels (udp_diag "
     "SK_MEMINFO_RCVBUF).",
     [](const UdpGroup& group) {
       const auto queue = group.hidden_queue();
       return queue ? sample(queue->limit) : std::nullopt;
     }},
    {Counter, "inetdiag_udp_drops_total",
     "Datagrams dropped by these sockets, mostly because the receive buffer was full (udp_diag "
     "SK_MEMINFO_DROPS).",
     field<&UdpGroup::drops>},
});

/// Local ports that the kernel assigns (net.ipv4.ip_local_port_range).
struct EphemeralPorts {
  std::uint16_t first = 32768;
  std::uint16_t last = 60999;

  bool contains(std::uint16_t port) const { return port >= first && port <= last; }

  static EphemeralPorts read(const ScrapeContext& context) {
    EphemeralPorts ports;
    std::string_view text = context.proc.read("sys/net/ipv4/ip_local_port_range").value_or("");
    const auto first = kernel::to_number<std::uint16_t>(kernel::next_word(text));
    const auto last = kernel::to_number<std::uint16_t>(kernel::next_word(text));
    return first && last ? EphemeralPorts{*first, *last} : ports;
  }
};

/// The sockets of servers on ephemeral ports.
class EphemeralServers {
 public:
  void insert(const UdpSocket& socket) { sockets_.emplace(socket.endpoint, socket.cookie); }
  bool contains(const UdpSocket& socket) const {
    return sockets_.contains({socket.endpoint, socket.cookie});
  }
  bool contains(const Endpoint& endpoint) const {
    const auto first = sockets_.lower_bound({endpoint, 0});
    return first != sockets_.end() && first->first == endpoint;
  }

 private:
  std::set<std::pair<Endpoint, std::uint64_t>> sockets_;  ///< endpoint and cookie
};

/// Whether this network namespace has UDP sockets, according to sockstat. If not, it needs no dump,
/// which would walk the sockets of all namespaces.
bool has_sockets(const ScrapeContext& context) {
  const auto ipv4 = context.proc.read("net/sockstat");
  const auto ipv6 = context.proc.read("net/sockstat6");
  return kernel::sockstat_value(ipv4.value_or(""), "UDP", "inuse").value_or(1) > 0 ||
         kernel::sockstat_value(ipv6.value_or(""), "UDP6", "inuse").value_or(0) > 0;
}

class Udp final : public Collector {
 public:
  explicit Udp(const Settings& settings)
      : max_(settings.whole_number("max", 0, std::numeric_limits<std::uint32_t>::max())) {}

  Collection collect(const ScrapeContext& context) override {
    const auto begin = std::chrono::system_clock::now();
    std::map<Endpoint, UdpGroup> groups;
    UdpGroup other{.is_aggregate = true};
    dump(context, groups, other);
    aggregated_drops_ += drops_.update_aggregate(other.member_drops);
    std::vector<NamedGroup<UdpGroup>> named = count_drops(
        drops_, std::move(groups), counted_at_ ? counted_at_ : context.namespace_created);
    counted_at_ = begin;
    const std::size_t shown = rank(named, max_);
    for (const NamedGroup<UdpGroup>& rest : std::span(named).subspan(shown)) {
      other.aggregate(rest.group);
      aggregated_drops_ += rest.drops_growth;
      if (rest.drops_growth > 0) {
        drops_.forget_created(rest.endpoint);
      }
    }
    other.drops = aggregated_drops_;

    Collection collection;
    FamilyTable<UdpGroup> families(udp_families);
    auto info = gauge_family("inetdiag_udp_info",
                             "Owner of the UDP sockets, several separated by commas, from the "
                             "cgroup in which a socket was created (INET_DIAG_CGROUP_ID).");
    const bool has_cgroups =
        std::ranges::any_of(named, [](const auto& each) { return !each.group.cgroups.empty(); });
    if (!named.empty() && !has_cgroups) {
      collection.missing.push_back(missing_owners("UDP sockets"));
    }
    const auto paths = owners(context, std::span(named).first(shown), collection);
    for (const auto& [endpoint, group, growth, created] : std::span(named).first(shown)) {
      const Labels labels = endpoint_labels(endpoint);
      families.add(labels, group, created);
      if (Labels owner = owner_labels(group.cgroups, paths, context, collection); !owner.empty()) {
        owner.insert(owner.begin(), labels.begin(), labels.end());
        add_series(info, std::move(owner), 1);
      }
    }
    families.add(aggregate_labels(), other, context.namespace_created);
    collection.families = families.take();
    collection.families.push_back(std::move(info));
    return collection;
  }

 private:
  /// Groups the sockets of servers by endpoint, and adds those of clients to `other`.
  void dump(const ScrapeContext& context, std::map<Endpoint, UdpGroup>& groups, UdpGroup& other) {
    if (context.is_other_namespace && !has_sockets(context)) {
      return;
    }
    const EphemeralPorts ephemeral = EphemeralPorts::read(context);
    EphemeralServers servers;
    std::size_t kept = 0;
    kernel::dump_udp(context.netlink, context.deadline, [&](const UdpSocket& socket) {
      bool has_group = !socket.is_connected;
      if (has_group && ephemeral.contains(socket.endpoint.port)) {
        if (is_notable(socket) || servers_.contains(socket)) {
          servers.insert(socket);
        } else {
          has_group = servers_.contains(socket.endpoint);
        }
      }
      UdpGroup& group = has_group ? groups[socket.endpoint] : other;
      group.add(socket);
      if (has_group) {
        group.add_owner(socket);
      }
      kept += has_group || socket.drops > 0 ? 1 : 0;
      kernel::check_kept_sockets(kept, "UDP sockets");
    });
    // All sockets of a server have closed, and a client has its port.
    std::erase_if(groups, [&](const auto& entry) {
      const auto& [endpoint, group] = entry;
      const bool is_client = ephemeral.contains(endpoint.port) && !servers.contains(endpoint);
      if (is_client) {
        other.aggregate(group);
      }
      return is_client;
    });
    servers_ = std::move(servers);
  }

  CgroupPathMap owners(const ScrapeContext& context, std::span<const NamedGroup<UdpGroup>> groups,
                       Collection& collection) {
    std::set<kernel::CgroupId> cgroups;
    for (const NamedGroup<UdpGroup>& named : groups) {
      cgroups.insert(named.group.cgroups.begin(), named.group.cgroups.end());
    }
    return find_owners(cgroup_paths_, context, cgroups, collection);
  }

  std::size_t max_;
  DropCounters<Endpoint> drops_{max_absent_endpoints};
  CreatedTime counted_at_;  ///< shortly before the previous dump that was added to drops_
  std::uint64_t aggregated_drops_ = 0;
  EphemeralServers servers_;  ///< of the previous scrape
  kernel::CgroupPaths cgroup_paths_;
};

}  // namespace

std::unique_ptr<Collector> make_udp(const Settings& settings) {
  return std::make_unique<Udp>(settings);
}

}  // namespace inetdiag
