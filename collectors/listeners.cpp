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

/// The kernel holds a connection more than the backlog (sk_acceptq_is_full: queue > backlog).
std::uint64_t capacity(std::uint32_t backlog) { return std::uint64_t{backlog} + 1; }

/// The sockets that share an endpoint.
struct Group {
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
    const std::uint64_t room = inetdiag::capacity(listener.backlog);
    ++sockets;
    waiting += listener.waiting;
    backlog += listener.backlog;
    capacity += room;
    largest_backlog = std::max(largest_backlog, listener.backlog);
    fill = std::max(fill, static_cast<double>(listener.waiting) / static_cast<double>(room));
    if (listener.drops) {
      member_drops.push_back({listener.cookie, *listener.drops});
    }
    if (listener.cgroup_id) {
      cgroups.insert(*listener.cgroup_id);
    }
  }

  /// Request sockets do not tell which member they belong to, so the whole group's room counts.
  void set_syn_queue(std::uint64_t length) {
    syn_queue = length;
    syn_fill = static_cast<double>(length) / static_cast<double>(capacity);
  }

  bool is_notable() const { return drops > 0 || fill >= notable_fill || syn_fill >= notable_fill; }
};

struct Row {
  const Group& group;
  bool has_syn_queue;
  bool has_drops;
  std::optional<bool> is_capped{};
};

using enum prometheus::MetricType;

constexpr auto specs = std::to_array<FamilySpec<Row>>({
    {Gauge, "inetdiag_listener_sockets",
     "Listening sockets of this address and port (inet_diag). More than 1 with SO_REUSEPORT: each "
     "has queues of its own.",
     [](const Row& row) { return sample(row.group.sockets); }},
    {Gauge, "inetdiag_listener_accept_queue_length",
     "Connections that wait for accept() (inet_diag idiag_rqueue), summed over the sockets. The "
     "program is too slow to take them where this stays above 0.",
     [](const Row& row) { return sample(row.group.waiting); }},
    {Gauge, "inetdiag_listener_accept_queue_limit",
     "Backlog (inet_diag idiag_wqueue), summed over the sockets: the smaller of what the program "
     "asked for in listen() and of net.core.somaxconn at that time.",
     [](const Row& row) { return sample(row.group.backlog); }},
    {Gauge, "inetdiag_listener_accept_queue_fill_ratio",
     "Waiting connections / (backlog + 1) of the fullest "
     "socket (inet_diag). At 1 the kernel drops "
     "new connections now.",
     [](const Row& row) { return sample(row.group.fill); }},
    {Gauge, "inetdiag_listener_syn_queue_length",
     "Half-open connections of this listener (request sockets, inet_diag SYN_RECV): the "
     "SYN came, the handshake is not complete.",
     [](const Row& row) { return row.has_syn_queue ? sample(row.group.syn_queue) : std::nullopt; }},
    {Gauge, "inetdiag_listener_syn_queue_fill_ratio",
     "Half-open connections / (backlog + 1), over all sockets of the listener (inet_diag). At 1 "
     "the kernel answers with SYN cookies, or drops where net.ipv4.tcp_syncookies is 0.",
     [](const Row& row) { return row.has_syn_queue ? sample(row.group.syn_fill) : std::nullopt; }},
    {Counter, "inetdiag_listener_drops_total",
     "SYNs and final ACKs that this listener refused (inet_diag SK_MEMINFO_DROPS). Clients see "
     "timeouts when it grows; SYN cookies do not count.",
     [](const Row& row) { return row.has_drops ? sample(row.group.drops) : std::nullopt; }},
    {Gauge, "inetdiag_listener_backlog_capped",
     "1 where the backlog has reached net.core.somaxconn, so that the sysctl is what limits it; 0 "
     "where the program asked for less in listen().",
     field<&Row::is_capped>},
});

std::string joined(const std::set<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text.append(text.empty() ? "" : ",").append(value);
  }
  return text;
}

/// The labels that say who owns a group, empty where nothing does. One set for each group, however
/// many owners: a second series would break every join on address and port.
Labels owner_labels(const Group& group, const std::map<std::uint64_t, std::string>& paths) {
  std::map<std::string, std::set<std::string>> values;
  const auto note = [&](const char* label, const std::string& value) {
    if (!value.empty()) {
      values[label].insert(value);
    }
  };
  for (const std::uint64_t id : group.cgroups) {
    if (const auto path = paths.find(id); path != paths.end()) {
      const kernel::CgroupOwner owner = kernel::owner_of_cgroup(path->second);
      note("cgroup", path->second);
      note("unit", owner.unit);
      note("pod_uid", owner.pod_uid);
      note("container_id", owner.container_id);
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
    std::map<Endpoint, Group> groups = grouped(context.tcp.listeners());
    const bool has_syn_queues = add_syn_queues(context, groups, collection);
    const bool has_drops = std::ranges::any_of(
        groups, [](const auto& group) { return !group.second.member_drops.empty(); });
    if (!groups.empty() && !has_drops) {
      collection.missing.emplace_back(
          "this kernel does not tell the drops of a listener (SK_MEMINFO_DROPS, Linux 4.7)");
    }
    std::vector<NamedGroup<Group>> ranked = count_drops(drops_, std::move(groups));

    FamilyTable<Row> families(specs);
    auto info = gauge_family(
        "inetdiag_listener_info",
        "Who owns the listener, from the cgroup that its socket was made in (INET_DIAG_CGROUP_ID). "
        "Several owners of one address and port are separated by commas.");
    const std::size_t shown = rank(ranked, max_);
    const auto somaxconn = read_somaxconn(context, collection);
    const auto paths = owners(context, std::span(ranked).first(shown), collection);
    for (const NamedGroup<Group>& named : std::span(ranked).first(shown)) {
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
      const Group other = fold(std::span(ranked).subspan(shown));
      families.add(aggregate_labels(),
                   {.group = other, .has_syn_queue = has_syn_queues, .has_drops = has_drops});
    }
    collection.families = families.take();
    collection.families.push_back(std::move(info));
    collection.families.push_back(single_gauge(
        "inetdiag_listeners_aggregated",
        "Listeners beyond --collector.listeners.max, whose sums and fullest queue stand under "
        "address=\"other\".",
        static_cast<double>(ranked.size() - shown)));
    return collection;
  }

 private:
  static std::map<Endpoint, Group> grouped(const std::vector<kernel::Listener>& listeners) {
    std::map<Endpoint, Group> groups;
    for (const kernel::Listener& listener : listeners) {
      groups[listener.endpoint].add(listener);
    }
    return groups;
  }

  /// The walk that finds half-open connections can miss its deadline where the dump of listeners
  /// does not: then the page has everything else.
  static bool add_syn_queues(const ScrapeContext& context, std::map<Endpoint, Group>& groups,
                             Collection& collection) {
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
      collection.errors.emplace_back(std::string("no SYN queues: ") + error.what());
      return false;
    }
  }

  /// The drops of the fold are what the listeners in it dropped while they were in it: listeners
  /// that move in and out must not make the counter fall.
  Group fold(std::span<const NamedGroup<Group>> folded) {
    Group other;
    for (const auto& [endpoint, group, growth] : folded) {
      other.sockets += group.sockets;
      other.waiting += group.waiting;
      other.backlog += group.backlog;
      other.fill = std::max(other.fill, group.fill);
      other.syn_queue += group.syn_queue;
      other.syn_fill = std::max(other.syn_fill, group.syn_fill);
      folded_drops_ += growth;
    }
    other.drops = folded_drops_;
    return other;
  }

  std::map<std::uint64_t, std::string> owners(const ScrapeContext& context,
                                              std::span<const NamedGroup<Group>> groups,
                                              Collection& collection) {
    std::set<std::uint64_t> ids;
    for (const NamedGroup<Group>& named : groups) {
      ids.insert(named.group.cgroups.begin(), named.group.cgroups.end());
    }
    try {
      return cgroup_paths_.find(context.cgroups, ids);
    } catch (const std::exception& error) {
      collection.errors.emplace_back(std::string("no owners: ") + error.what());
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
  std::uint64_t folded_drops_ = 0;
  kernel::CgroupPaths cgroup_paths_;
};

}  // namespace

std::unique_ptr<Collector> make_listeners(const Settings& settings) {
  return std::make_unique<Listeners>(settings);
}

}  // namespace inetdiag
