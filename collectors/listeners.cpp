#include "collectors/listeners.h"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/support/endpoint_groups.h"
#include "collectors/support/family_table.h"

namespace inetdiag {
namespace {

using kernel::Endpoint;

/// The accept queue holds one connection more than the backlog (sk_acceptq_is_full: length >
/// backlog).
std::uint64_t capacity(std::uint32_t backlog) { return std::uint64_t{backlog} + 1; }

/// The sockets that share an endpoint.
struct ListenerGroup {
  std::uint64_t sockets = 0;
  std::uint64_t waiting = 0;
  std::uint64_t backlog = 0;
  std::uint64_t capacity = 0;
  std::uint32_t largest_backlog = 0;
  double fill = 0;  ///< of the fullest member
  std::uint64_t syn_queue = 0;
  double syn_fill = 0;
  std::vector<SocketDrops> member_drops;
  std::uint64_t drops = 0;
  std::set<std::uint64_t> cgroups;

  void add(const kernel::Listener& listener) {
    const std::uint64_t listener_capacity = inetdiag::capacity(listener.backlog);
    ++sockets;
    waiting += listener.waiting;
    backlog += listener.backlog;
    capacity += listener_capacity;
    largest_backlog = std::max(largest_backlog, listener.backlog);
    fill = std::max(fill,
                    static_cast<double>(listener.waiting) / static_cast<double>(listener_capacity));
    if (listener.drops) {
      member_drops.push_back({listener.cookie, *listener.drops});
    }
    if (listener.cgroup_id) {
      cgroups.insert(*listener.cgroup_id);
    }
  }

  /// A request socket is not assigned to a member, so the ratio is over the capacity of the group.
  void set_syn_queue(std::uint64_t length) {
    syn_queue = length;
    syn_fill = static_cast<double>(length) / static_cast<double>(capacity);
  }

  bool is_notable() const { return drops > 0 || fill >= notable_fill || syn_fill >= notable_fill; }
};

struct Row {
  const ListenerGroup& group;
  bool has_syn_queue = false;
  bool has_drops = false;
  std::optional<bool> is_capped{};
};

using enum prometheus::MetricType;

constexpr auto listener_families = std::to_array<FamilySpec<Row>>({
    {Gauge, "inetdiag_listener_sockets",
     "Number of sockets listening on this address and port, more than 1 with SO_REUSEPORT "
     "(inet_diag).",
     [](const Row& row) { return sample(row.group.sockets); }},
    {Gauge, "inetdiag_listener_accept_queue_length",
     "Connections waiting for accept(), summed over the sockets (inet_diag idiag_rqueue).",
     [](const Row& row) { return sample(row.group.waiting); }},
    {Gauge, "inetdiag_listener_accept_queue_limit",
     "Backlog, the smaller of the listen() argument and net.core.somaxconn at that time, summed "
     "over the sockets (inet_diag idiag_wqueue).",
     [](const Row& row) { return sample(row.group.backlog); }},
    {Gauge, "inetdiag_listener_accept_queue_fill_ratio",
     "Waiting connections / (backlog + 1) of the fullest socket; at 1 the kernel drops new "
     "connections (inet_diag).",
     [](const Row& row) { return sample(row.group.fill); }},
    {Gauge, "inetdiag_listener_syn_queue_length",
     "Half-open connections of this listener, whose handshake is not complete (inet_diag, request "
     "sockets in SYN_RECV).",
     [](const Row& row) { return row.has_syn_queue ? sample(row.group.syn_queue) : std::nullopt; }},
    {Gauge, "inetdiag_listener_syn_queue_fill_ratio",
     "Half-open connections / (backlog + 1) over all sockets of the listener; at 1 the kernel "
     "sends SYN cookies, or drops SYNs if net.ipv4.tcp_syncookies is 0 (inet_diag).",
     [](const Row& row) { return row.has_syn_queue ? sample(row.group.syn_fill) : std::nullopt; }},
    {Counter, "inetdiag_listener_drops_total",
     "SYNs and final ACKs that this listener dropped, without SYNs answered by a SYN cookie "
     "(inet_diag SK_MEMINFO_DROPS).",
     [](const Row& row) { return row.has_drops ? sample(row.group.drops) : std::nullopt; }},
    {Gauge, "inetdiag_listener_backlog_capped",
     "Whether the backlog has reached net.core.somaxconn, 0 if the listen() argument is smaller "
     "(inet_diag idiag_wqueue).",
     field<&Row::is_capped>},
});

// Users can open sockets of one endpoint (SO_REUSEPORT) in many cgroups of their own.
constexpr std::size_t max_owners = 10;

/// Returns `a,b`, or `a,b,...` if there are more than max_owners.
std::string joined(const std::set<std::string>& values) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& value : values) {
    text.append(text.empty() ? "" : ",");
    if (count++ == max_owners) {
      return text.append("...");
    }
    text.append(value);
  }
  return text;
}

/// Returns the labels of the owner, empty if it is unknown. Joins the values of several owners in
/// one label set, because a second series would break joins on address and port.
Labels owner_labels(const ListenerGroup& group, const std::map<std::uint64_t, std::string>& paths) {
  std::map<std::string, std::set<std::string>> values;
  const auto add = [&](const char* label, const std::string& value) {
    if (!value.empty()) {
      values[label].insert(value);
    }
  };
  for (const std::uint64_t id : group.cgroups) {
    if (const auto path = paths.find(id); path != paths.end()) {
      const kernel::CgroupOwner owner = kernel::owner_of_cgroup(path->second);
      add("cgroup", path->second);
      add("unit", owner.unit);
      add("pod_uid", owner.pod_uid);
      add("container_id", owner.container_id);
    }
  }
  Labels labels;
  for (const auto& [label, found] : values) {
    labels.push_back({label, joined(found)});
  }
  return labels;
}

class Listeners final : public Collector {
 public:
  explicit Listeners(const Settings& settings)
      : max_(settings.whole_number("max", 1, std::numeric_limits<std::uint32_t>::max())) {}

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    std::map<Endpoint, ListenerGroup> groups = grouped(context.tcp.listeners());
    const bool has_syn_queues = add_syn_queues(context, groups, collection);
    const bool has_drops = std::ranges::any_of(
        groups, [](const auto& group) { return !group.second.member_drops.empty(); });
    if (!groups.empty() && !has_drops) {
      collection.missing.emplace_back("drops of listeners (SK_MEMINFO_DROPS needs Linux 4.7)");
    }
    std::vector<NamedGroup<ListenerGroup>> ranked = count_drops(drops_, std::move(groups));

    FamilyTable<Row> families(listener_families);
    auto info =
        gauge_family("inetdiag_listener_info",
                     "Owner of the listener, several separated by commas, from the cgroup in which "
                     "its socket was created (INET_DIAG_CGROUP_ID).");
    const std::size_t shown = rank(ranked, max_);
    const auto somaxconn = read_somaxconn(context, collection);
    const auto paths = owners(context, std::span(ranked).first(shown), collection);
    for (const NamedGroup<ListenerGroup>& named : std::span(ranked).first(shown)) {
      const Labels labels = endpoint_labels(named.endpoint);
      families.add(
          labels, {.group = named.group,
                   .has_syn_queue = has_syn_queues,
                   .has_drops = has_drops,
                   .is_capped = somaxconn ? std::optional(named.group.largest_backlog >= *somaxconn)
                                          : std::nullopt});
      if (Labels owner = owner_labels(named.group, paths); !owner.empty()) {
        owner.insert(owner.begin(), labels.begin(), labels.end());
        add_series(info, std::move(owner), 1);
      }
    }
    if (shown < ranked.size()) {
      const ListenerGroup other = aggregate(std::span(ranked).subspan(shown));
      families.add(aggregate_labels(),
                   {.group = other, .has_syn_queue = has_syn_queues, .has_drops = has_drops});
    }
    collection.families = families.take();
    collection.families.push_back(std::move(info));
    collection.families.push_back(single_gauge(
        "inetdiag_listeners_aggregated",
        "Number of listeners beyond --collector.listeners.max, aggregated into address=\"other\".",
        static_cast<double>(ranked.size() - shown)));
    return collection;
  }

 private:
  static std::map<Endpoint, ListenerGroup> grouped(const std::vector<kernel::Listener>& listeners) {
    std::map<Endpoint, ListenerGroup> groups;
    for (const kernel::Listener& listener : listeners) {
      groups[listener.endpoint].add(listener);
    }
    return groups;
  }

  /// Returns false if the dump of half-open connections failed. It can time out even if the dump of
  /// listeners, which are fewer, succeeds; the other metrics are still exported.
  static bool add_syn_queues(const ScrapeContext& context,
                             std::map<Endpoint, ListenerGroup>& groups, Collection& collection) {
    try {
      const auto& queues = context.tcp.partial_dump().syn_queue;
      for (auto& [endpoint, group] : groups) {
        const auto queue = queues.find(endpoint);
        group.set_syn_queue(queue == queues.end() ? 0 : queue->second);
      }
      return true;
    } catch (const kernel::DumpNotDue&) {
      return false;
    } catch (const std::exception& error) {
      collection.errors.emplace_back(std::string("cannot read SYN queues: ") + error.what());
      return false;
    }
  }

  /// Adds the growth of the drops rather than their totals: the counter must not decrease when a
  /// listener leaves the aggregate.
  ListenerGroup aggregate(std::span<const NamedGroup<ListenerGroup>> groups) {
    ListenerGroup other;
    for (const auto& [endpoint, group, growth] : groups) {
      other.sockets += group.sockets;
      other.waiting += group.waiting;
      other.backlog += group.backlog;
      other.fill = std::max(other.fill, group.fill);
      other.syn_queue += group.syn_queue;
      other.syn_fill = std::max(other.syn_fill, group.syn_fill);
      aggregated_drops_ += growth;
    }
    other.drops = aggregated_drops_;
    return other;
  }

  std::map<std::uint64_t, std::string> owners(const ScrapeContext& context,
                                              std::span<const NamedGroup<ListenerGroup>> groups,
                                              Collection& collection) {
    std::set<std::uint64_t> ids;
    for (const NamedGroup<ListenerGroup>& named : groups) {
      ids.insert(named.group.cgroups.begin(), named.group.cgroups.end());
    }
    try {
      return cgroup_paths_.find(context.cgroups, ids);
    } catch (const std::exception& error) {
      collection.errors.emplace_back(std::string("cannot read owners: ") + error.what());
      return {};
    }
  }

  static std::optional<std::uint32_t> read_somaxconn(const ScrapeContext& context,
                                                     Collection& collection) {
    try {
      if (const auto text = context.proc.read("sys/net/core/somaxconn")) {
        return kernel::to_number<std::uint32_t>(kernel::trimmed(*text));
      }
    } catch (const std::exception& error) {
      collection.errors.emplace_back(error.what());
    }
    return std::nullopt;
  }

  std::size_t max_;
  DropCounters<Endpoint> drops_{max_absent_endpoints};
  std::uint64_t aggregated_drops_ = 0;
  kernel::CgroupPaths cgroup_paths_;
};

}  // namespace

std::unique_ptr<Collector> make_listeners(const Settings& settings) {
  return std::make_unique<Listeners>(settings);
}

}  // namespace inetdiag
