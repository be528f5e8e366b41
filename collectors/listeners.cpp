#include "collectors/listeners.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/proc/counter_file.h"
#include "collectors/support/accept_progress.h"
#include "collectors/support/accept_queue_sampler.h"
#include "collectors/support/cpu_budget.h"
#include "collectors/support/endpoint_groups.h"
#include "collectors/support/family_table.h"
#include "collectors/support/listen_drop_shares.h"
#include "collectors/support/owner_labels.h"
#include "collectors/support/recent_fill.h"
#include "collectors/support/recent_maxima.h"
#include "collectors/support/thread_cpu.h"

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
  std::uint64_t full = 0;  ///< members
  double fill = 0;         ///< of the fullest member
  std::uint64_t fullest_waiting = 0;
  std::uint64_t fullest_backlog = 0;
  std::uint64_t syn_queue = 0;
  std::uint64_t syn_queue_retransmitted = 0;
  double syn_fill = 0;
  bool drops_syns = false;
  std::vector<SocketDrops> member_drops;
  std::uint64_t drops = 0;         ///< SK_MEMINFO_DROPS
  std::uint64_t listen_drops = 0;  ///< the share of TcpExtListenDrops
  std::uint64_t listen_drops_growth = 0;
  std::optional<kernel::WaitingConnections> waiting_connections;
  std::vector<AcceptProgress::Socket> waiting_members;
  std::optional<AcceptProgress::Stall> stall;
  std::optional<AcceptQueueSamples> samples;
  std::set<std::uint64_t> cgroups;

  void add(const kernel::Listener& listener) {
    const std::uint64_t listener_capacity = inetdiag::capacity(listener.backlog);
    ++sockets;
    waiting += listener.waiting;
    backlog += listener.backlog;
    capacity += listener_capacity;
    largest_backlog = std::max(largest_backlog, listener.backlog);
    set_fullest(static_cast<double>(listener.waiting) / static_cast<double>(listener_capacity),
                listener.waiting, listener.backlog);
    full += listener.waiting >= listener_capacity ? 1U : 0U;
    if (listener.waiting > 0) {
      waiting_members.push_back({listener.cookie, listener.inode, listener.waiting});
    }
    if (listener.drops) {
      member_drops.push_back({listener.cookie, *listener.drops});
    }
    if (listener.cgroup_id) {
      cgroups.insert(*listener.cgroup_id);
    }
  }

  void set_fullest(double member_fill, std::uint64_t member_waiting, std::uint64_t member_backlog) {
    if (member_fill >= fill) {
      fill = member_fill;
      fullest_waiting = member_waiting;
      fullest_backlog = member_backlog;
    }
  }

  /// A request socket is not assigned to a member, so the ratio is over the capacity of the group.
  /// `max_without_cookies` limits each socket too, if SYN cookies are off.
  void set_syn_queue(std::uint64_t length, std::optional<std::uint64_t> max_without_cookies) {
    syn_queue = length;
    const std::uint64_t limit =
        max_without_cookies ? std::min(capacity, *max_without_cookies * sockets) : capacity;
    syn_fill = static_cast<double>(length) / static_cast<double>(limit);
    drops_syns = max_without_cookies && length >= limit;
  }

  bool is_notable() const { return drops > 0 || fill >= notable_fill || syn_fill >= notable_fill; }
};

struct Row {
  const ListenerGroup& group;
  bool has_syn_queue = false;
  bool has_drops = false;
  bool has_listen_drops = false;
  std::optional<bool> is_capped{};

  bool is_single() const { return group.sockets == 1; }
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
    {Gauge, "inetdiag_listener_fullest_accept_queue_length",
     "Connections waiting for accept() at the fullest of several sockets (inet_diag idiag_rqueue).",
     [](const Row& row) {
       return row.is_single() ? std::nullopt : sample(row.group.fullest_waiting);
     }},
    {Gauge, "inetdiag_listener_fullest_accept_queue_limit",
     "Backlog of the fullest of several sockets (inet_diag idiag_wqueue).",
     [](const Row& row) {
       return row.is_single() ? std::nullopt : sample(row.group.fullest_backlog);
     }},
    {Gauge, "inetdiag_listener_full_sockets",
     "Number of sockets whose accept queue is full, if several listen on this address and port "
     "(inet_diag).",
     [](const Row& row) { return row.is_single() ? std::nullopt : sample(row.group.full); }},
    {Gauge, "inetdiag_listener_stalled_sockets",
     "Number of sockets that accepted none of their waiting connections since the previous scrape, "
     "if several listen on this address and port; present if connections waited in the previous "
     "scrape too (inet_diag).",
     [](const Row& row) {
       return row.group.stall && !row.is_single() ? sample(row.group.stall->inodes.size())
                                                  : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_stalled_sockets_waiting_connections",
     "Connections waiting for accept() at the sockets of inetdiag_listener_stalled_sockets "
     "(inet_diag idiag_rqueue).",
     [](const Row& row) {
       return row.group.stall && !row.is_single() ? sample(row.group.stall->waiting) : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_accept_queue_oldest_seconds",
     "Time that the oldest connection has waited for accept(); present if connections waited in "
     "the previous scrape too (inet_diag tcpi_last_data_sent).",
     [](const Row& row) {
       const auto& waiting = row.group.waiting_connections;
       return waiting ? sample(std::chrono::duration<double>(waiting->oldest).count())
                      : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_accept_queue_stalled_seconds",
     "Time for which the program accepted none of the waiting connections, as far as scrapes show, "
     "at the socket with the longest such time; present if connections waited in the previous "
     "scrape too (inet_diag).",
     [](const Row& row) {
       return row.group.stall ? sample(row.group.stall->longest.count()) : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_accept_queue_abandoned_connections",
     "Connections waiting for accept() that the client has closed; present if connections waited "
     "in the previous scrape too (inet_diag, CLOSE_WAIT without an inode).",
     [](const Row& row) {
       const auto& waiting = row.group.waiting_connections;
       return waiting ? sample(waiting->closed_by_peer) : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_accept_queue_unread_connections",
     "Connections waiting for accept() on which the client has sent data, such as a request; "
     "present if connections waited in the previous scrape too (inet_diag idiag_rqueue).",
     [](const Row& row) {
       const auto& waiting = row.group.waiting_connections;
       return waiting ? sample(waiting->with_data) : std::nullopt;
     }},
    {Counter, "inetdiag_listener_accept_queue_waiting_seconds_total",
     "Time that connections have waited for accept(), summed over the connections: its rate is the "
     "mean length of the accept queue. Present once a connection waited "
     "(inet_diag, sampled every --collector.listeners.sample-interval).",
     [](const Row& row) {
       const auto& samples = row.group.samples;
       return samples ? sample(samples->waiting_time.count()) : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_accept_queue_peak_fill_ratio",
     "Highest fill ratio of the fullest socket in the last five minutes. Present once a "
     "connection waited (inet_diag, sampled every --collector.listeners.sample-interval).",
     [](const Row& row) {
       return row.group.samples ? sample(std::max(row.group.samples->peak_fill, row.group.fill))
                                : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_syn_queue_length",
     "Half-open connections of this listener, whose handshake is not complete (inet_diag, request "
     "sockets in SYN_RECV).",
     [](const Row& row) { return row.has_syn_queue ? sample(row.group.syn_queue) : std::nullopt; }},
    {Gauge, "inetdiag_listener_syn_queue_retransmitted",
     "Half-open connections of this listener whose SYN-ACK was retransmitted (inet_diag "
     "idiag_retrans).",
     [](const Row& row) {
       return row.has_syn_queue ? sample(row.group.syn_queue_retransmitted) : std::nullopt;
     }},
    {Gauge, "inetdiag_listener_syn_queue_fill_ratio",
     "Half-open connections / capacity of the SYN queue over all sockets of the listener; at 1 the "
     "kernel sends SYN cookies, or drops SYNs if net.ipv4.tcp_syncookies is 0. The capacity is "
     "backlog + 1, without SYN cookies at most three quarters of net.ipv4.tcp_max_syn_backlog "
     "(inet_diag).",
     [](const Row& row) { return row.has_syn_queue ? sample(row.group.syn_fill) : std::nullopt; }},
    {Counter, "inetdiag_listener_listen_drops_total",
     "SYNs and final ACKs that this listener dropped since the exporter started, mostly because a "
     "queue was full: its share of TcpExtListenDrops, as far as no other listener can have dropped "
     "them (inet_diag SK_MEMINFO_DROPS, /proc/net/netstat).",
     [](const Row& row) {
       return row.has_listen_drops ? sample(row.group.listen_drops) : std::nullopt;
     }},
    {Counter, "inetdiag_listener_socket_drops_total",
     "Packets that this listener's sockets dropped for any reason: those of "
     "inetdiag_listener_listen_drops_total, but also bare ACKs under TCP_DEFER_ACCEPT, RSTs to "
     "half-open connections and retransmitted SYNs, which harm nobody (inet_diag "
     "SK_MEMINFO_DROPS).",
     [](const Row& row) { return row.has_drops ? sample(row.group.drops) : std::nullopt; }},
    {Gauge, "inetdiag_listener_backlog_capped",
     "Whether the backlog has reached net.core.somaxconn, 0 if the listen() argument is smaller "
     "(inet_diag idiag_wqueue).",
     field<&Row::is_capped>},
});

constexpr std::size_t max_named_sockets = 10;

prometheus::MetricFamily sampled_fill_family() {
  return {.name = "inetdiag_listener_accept_queue_sampled_fill_ratio",
          .help =
              "Fill ratio of the fullest socket in the samples between scrapes, 0 while the "
              "queue is empty. Present once a connection waited (inet_diag, sampled every "
              "--collector.listeners.sample-interval).",
          .type = Histogram,
          .metric = {}};
}

void add_samples(prometheus::MetricFamily& family, const Labels& labels,
                 const ListenerGroup& group) {
  if (!group.samples) {
    return;
  }
  auto& series = family.metric.emplace_back();
  series.label = labels;
  auto& histogram = series.histogram;
  histogram.sample_sum = group.samples->fill_sum;
  for (std::size_t i = 0; i < group.samples->by_fill.size(); ++i) {
    histogram.sample_count += group.samples->by_fill.at(i);
    const double bound = i < AcceptQueueSamples::bounds.size()
                             ? AcceptQueueSamples::bounds.at(i)
                             : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({.cumulative_count = histogram.sample_count, .upper_bound = bound});
  }
}

/// Adds the history of a queue in which a connection waited in the last minutes.
void add_recent_fill(std::vector<RecentFill>& fills, const Labels& labels,
                     const ListenerGroup& group) {
  if (!group.samples || group.samples->recent_fill.empty()) {
    return;
  }
  constexpr std::chrono::duration<double> slot = RecentMaxima::slot_length;
  RecentFill& fill = fills.emplace_back(RecentFill{
      .labels = labels, .slot_seconds = slot.count(), .ratios = group.samples->recent_fill});
  fill.ratios.back() = std::max(fill.ratios.back().value_or(0), group.fill);
  for (auto& label : fill.labels) {
    label.value = valid_utf8(label.value);  // as add_series() does
  }
}

void add_stalled_sockets(prometheus::MetricFamily& family, const Labels& labels,
                         const ListenerGroup& group) {
  if (!group.stall || group.sockets == 1) {
    return;
  }
  const auto& inodes = group.stall->inodes;
  for (const std::uint32_t inode :
       std::span(inodes).first(std::min(inodes.size(), max_named_sockets))) {
    Labels socket = labels;
    socket.push_back({"inode", std::to_string(inode)});
    add_series(family, std::move(socket), 1);
  }
}

// Ports in one dump of waiting connections.
constexpr std::size_t max_ports_of_dump = 256;

// tcpi_last_data_sent counts jiffies, of up to 10 ms.
constexpr std::chrono::milliseconds age_resolution{10};

constexpr std::chrono::milliseconds min_sample_interval{10};

// Share of one CPU for dumps of waiting connections: 30 ms every 3 s with 300,000 sockets.
constexpr double max_waiting_cpu_share = 0.01;

class Listeners final : public Collector {
 public:
  Listeners(const Settings& settings, ListenerClocks clocks)
      : max_(settings.whole_number("max", 1, std::numeric_limits<std::uint32_t>::max())),
        clocks_(std::move(clocks)) {
    const auto interval = settings.duration_or_zero("sample-interval", min_sample_interval);
    if (interval > std::chrono::seconds(0)) {
      sampler_.emplace(std::chrono::duration_cast<AcceptQueueSampler::Clock::duration>(interval));
    }
  }

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto begin = std::chrono::system_clock::now();
    read_counters_first(context);
    std::map<Endpoint, ListenerGroup> groups = grouped(context.tcp.listeners());
    const bool has_syn_queues = add_syn_queues(context, groups, collection);
    add_waiting_connections(context, groups, collection);
    const bool has_drops = std::ranges::any_of(
        groups, [](const auto& group) { return !group.second.member_drops.empty(); });
    if (!groups.empty() && !has_drops) {
      collection.missing.emplace_back("drops of listeners (SK_MEMINFO_DROPS needs Linux 4.7)");
    }
    const bool has_cgroups = std::ranges::any_of(
        groups, [](const auto& group) { return !group.second.cgroups.empty(); });
    if (!groups.empty() && !has_cgroups) {
      collection.missing.push_back(missing_owners("listeners"));
    }
    if (!counted_at_ && context.namespace_created) {
      counted_at_ = context.namespace_created;
      listen_drops_.begin(clocks_.now() - std::chrono::duration_cast<CpuBudget::Clock::duration>(
                                              begin - *context.namespace_created));
    }
    std::vector<NamedGroup<ListenerGroup>> ranked =
        count_drops(drops_, std::move(groups), counted_at_);
    counted_at_ = begin;
    const bool has_listen_drops = has_drops && share_listen_drops(context, ranked, collection);

    FamilyTable<Row> families(listener_families);
    auto info =
        gauge_family("inetdiag_listener_info",
                     "Owner of the listener, several separated by commas, from the cgroup in which "
                     "its socket was created (INET_DIAG_CGROUP_ID).");
    auto stalled_info =
        gauge_family("inetdiag_listener_stalled_socket_info",
                     "A socket that accepted none of its waiting connections since the previous "
                     "scrape, if several listen on this address and port (inet_diag idiag_inode).");
    prometheus::MetricFamily fill = sampled_fill_family();
    const std::size_t shown = rank(ranked, max_);
    const auto somaxconn = read_somaxconn(context, collection);
    const auto paths = owners(context, std::span(ranked).first(shown), collection);
    for (const NamedGroup<ListenerGroup>& named : std::span(ranked).first(shown)) {
      const Labels labels = endpoint_labels(named.endpoint);
      families.add(
          labels,
          {.group = named.group,
           .has_syn_queue = has_syn_queues,
           .has_drops = has_drops,
           .has_listen_drops = has_listen_drops,
           .is_capped =
               somaxconn ? std::optional(named.group.largest_backlog >= *somaxconn) : std::nullopt},
          named.created);
      add_samples(fill, labels, named.group);
      add_recent_fill(collection.recent_fills, labels, named.group);
      add_stalled_sockets(stalled_info, labels, named.group);
      if (Labels owner = owner_labels(named.group.cgroups, paths, context, collection);
          !owner.empty()) {
        owner.insert(owner.begin(), labels.begin(), labels.end());
        add_series(info, std::move(owner), 1);
      }
    }
    if (shown < ranked.size()) {
      const ListenerGroup other = aggregate(std::span(ranked).subspan(shown));
      families.add(aggregate_labels(),
                   {.group = other,
                    .has_syn_queue = has_syn_queues,
                    .has_drops = has_drops,
                    .has_listen_drops = has_listen_drops},
                   context.namespace_created);
    }
    collection.families = families.take();
    if (sampler_) {
      collection.families.push_back(std::move(fill));
      auto samples = counter_family("inetdiag_listener_accept_queue_samples_total",
                                    "Samples of the accept queues since the exporter started.");
      add_series(samples, {}, static_cast<double>(samples_));
      collection.families.push_back(std::move(samples));
    }
    collection.families.push_back(std::move(stalled_info));
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

  /// Reads the counters before the dump, unless another collector has made one. Errors are reported
  /// by share_listen_drops().
  static void read_counters_first(const ScrapeContext& context) {
    try {
      (void)context.proc.read("net/netstat");
    } catch (const std::exception&) {
      return;
    }
  }

  /// Returns false if the dump of half-open connections failed. It can time out even if the dump of
  /// listeners, which are fewer, succeeds; the other metrics are still exported.
  static bool add_syn_queues(const ScrapeContext& context,
                             std::map<Endpoint, ListenerGroup>& groups, Collection& collection) {
    try {
      const kernel::PartialDump& partial = context.tcp.partial_dump();
      for (const auto& [endpoint, length] : partial.syn_queue) {
        if (const auto group = groups.find(endpoint); group != groups.end()) {
          group->second.set_syn_queue(length, max_without_cookies(context));
        }
      }
      for (const auto& [endpoint, count] : partial.syn_queue_retransmitted) {
        if (const auto group = groups.find(endpoint); group != groups.end()) {
          group->second.syn_queue_retransmitted = count;
        }
      }
      return true;
    } catch (const kernel::DumpNotDue&) {
      return false;
    } catch (const std::exception& error) {
      collection.errors.emplace_back(std::string("cannot read SYN queues: ") + error.what());
      return false;
    }
  }

  /// Returns how many half-open connections a socket may have if SYN cookies are off, whatever its
  /// backlog: the kernel drops SYNs of unproven peers when less than a quarter of
  /// tcp_max_syn_backlog is left (net/ipv4/tcp_input.c, tcp_conn_request).
  static std::optional<std::uint64_t> max_without_cookies(const ScrapeContext& context) {
    const auto read = [&](std::string_view name) {
      return kernel::to_number<std::uint64_t>(
          kernel::trimmed(context.proc.read(name).value_or("")));
    };
    const auto max = read("sys/net/ipv4/tcp_max_syn_backlog");
    return max && read("sys/net/ipv4/tcp_syncookies") == 0 ? std::optional(*max - *max / 4 + 1)
                                                           : std::nullopt;
  }

  /// Returns what the accept queues were like since the previous scrape.
  std::optional<AcceptQueueHistory> read_samples(const ScrapeContext& context,
                                                 std::map<Endpoint, ListenerGroup>& groups,
                                                 Collection& collection) {
    if (!sampler_) {
      return std::nullopt;
    }
    std::optional<AcceptQueueHistory> history;
    try {
      history = sampler_->read(context.netlink, context.tcp.listeners());
    } catch (const std::system_error& error) {
      collection.errors.emplace_back(std::string("cannot start to sample accept queues: ") +
                                     error.what());
      return std::nullopt;
    }
    if (const auto error = sampler_->take_error()) {
      collection.errors.push_back("cannot sample accept queues: " + *error);
    }
    samples_ = history->count();
    for (const auto& [endpoint, samples] : history->samples(AcceptQueueSampler::Clock::now())) {
      if (const auto group = groups.find(endpoint); group != groups.end()) {
        group->second.samples = samples;
      }
    }
    return history;
  }

  /// Reads how long connections have waited, at listeners where some also waited in the previous
  /// scrape, if there is one: a queue that is not empty for a moment needs no dump of the
  /// connections. The first dump is free, so that `check` can make a second one.
  void add_waiting_connections(const ScrapeContext& context,
                               std::map<Endpoint, ListenerGroup>& groups, Collection& collection) {
    const auto history = read_samples(context, groups, collection);
    const auto now = clocks_.now();
    const auto read_at = progress_.read_at();
    std::set<std::uint16_t> ports;
    for (const auto& [endpoint, group] : groups) {
      const bool has_waited = !read_at || progress_.has_waited(endpoint);
      if (group.waiting > 0 && has_waited && ports.size() < max_ports_of_dump) {
        ports.insert(endpoint.port);
      }
    }
    bool is_read = ports.empty();
    if (!ports.empty() && waiting_budget_.allows(now)) {
      const auto cpu_before = clocks_.thread_cpu();
      try {
        const auto since_previous =
            std::chrono::duration_cast<std::chrono::milliseconds>(now - read_at.value_or(now));
        for (const auto& [endpoint, connections] : context.tcp.waiting_connections(
                 {ports.begin(), ports.end()}, since_previous - age_resolution,
                 progress_.oldest_cookies())) {
          if (const auto group = groups.find(endpoint); group != groups.end()) {
            group->second.waiting_connections = connections;
          }
        }
        is_read = true;
      } catch (const kernel::DumpNotDue&) {
      } catch (const std::exception& error) {
        collection.errors.emplace_back(std::string("cannot read waiting connections: ") +
                                       error.what());
      }
      if (read_at) {
        waiting_budget_.spend(now, clocks_.thread_cpu() - cpu_before);
      }
    }
    for (auto& [endpoint, group] : groups) {
      if (group.waiting > 0 && !is_read) {
        progress_.keep(endpoint, group.waiting_members, now);
      } else if (group.waiting > 0) {
        auto stall =
            progress_.update(endpoint, group.waiting_members,
                             group.waiting_connections.value_or(kernel::WaitingConnections()),
                             history ? &*history : nullptr, now);
        if (group.waiting_connections) {
          group.stall = std::move(stall);
        }
      }
    }
    progress_.end_round(is_read, now);
  }

  static std::optional<std::uint64_t> listen_drops_in(std::string_view netstat) {
    return kernel::find_counter(netstat, "TcpExt", "ListenDrops");
  }

  /// Reads TcpExtListenDrops before the dump of the listeners if it can (collectors share the file
  /// of a scrape), and after it. Returns false if it cannot be read.
  bool share_listen_drops(const ScrapeContext& context,
                          std::vector<NamedGroup<ListenerGroup>>& listeners,
                          Collection& collection) {
    const bool has_growth = std::ranges::any_of(
        listeners, [](const auto& listener) { return listener.drops_growth > 0; });
    std::optional<std::uint64_t> before;
    std::optional<std::uint64_t> after;
    try {
      before = listen_drops_in(context.proc.read("net/netstat").value_or(""));
      after = has_growth ? listen_drops_in(context.proc.read_again("net/netstat").value_or(""))
                         : before;
    } catch (const std::exception& error) {
      collection.errors.emplace_back(error.what());
    }
    if (!before || !after) {
      return false;
    }
    std::vector<ListenDropCounters::Listener> candidates;
    candidates.reserve(listeners.size());
    for (const auto& [endpoint, group, growth, created] : listeners) {
      candidates.push_back({.endpoint = endpoint,
                            .drops = group.drops,
                            .growth = growth,
                            .has_full_queue = group.fill >= 1 || group.drops_syns});
    }
    const auto shares =
        listen_drops_.update(candidates, {.before = *before, .after = *after}, clocks_.now());
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      listeners[i].group.listen_drops = shares[i].total;
      listeners[i].group.listen_drops_growth = shares[i].growth;
    }
    return true;
  }

  /// Adds the growth of the drops rather than their totals: the counter must not decrease when a
  /// listener leaves the aggregate.
  ListenerGroup aggregate(std::span<const NamedGroup<ListenerGroup>> groups) {
    ListenerGroup other;
    for (const auto& [endpoint, group, growth, created] : groups) {
      other.sockets += group.sockets;
      other.waiting += group.waiting;
      other.backlog += group.backlog;
      other.full += group.full;
      other.set_fullest(group.fill, group.fullest_waiting, group.fullest_backlog);
      other.syn_queue += group.syn_queue;
      other.syn_queue_retransmitted += group.syn_queue_retransmitted;
      other.syn_fill = std::max(other.syn_fill, group.syn_fill);
      aggregated_drops_ += growth;
      if (growth > 0) {
        drops_.forget_created(endpoint);
      }
      aggregated_listen_drops_ += group.listen_drops_growth;
    }
    other.drops = aggregated_drops_;
    other.listen_drops = aggregated_listen_drops_;
    return other;
  }

  CgroupPathMap owners(const ScrapeContext& context,
                       std::span<const NamedGroup<ListenerGroup>> groups, Collection& collection) {
    std::set<std::uint64_t> ids;
    for (const NamedGroup<ListenerGroup>& named : groups) {
      ids.insert(named.group.cgroups.begin(), named.group.cgroups.end());
    }
    return find_owners(cgroup_paths_, context, ids, collection);
  }

  static std::optional<std::uint32_t> read_somaxconn(const ScrapeContext& context,
                                                     Collection& collection) {
    try {
      if (const auto text = context.proc.read("sys/net/core/somaxconn")) {
        return kernel::to_number<std::uint32_t>(kernel::trimmed(*text));
      }
      // net/core/sysctl_net_core.c, sysctl_core_net_init.
      collection.missing.emplace_back(
          "whether net.core.somaxconn limits a backlog (up to Linux 6.1 it is hidden in the "
          "network "
          "namespaces of user namespaces)");
    } catch (const std::exception& error) {
      collection.errors.emplace_back(error.what());
    }
    return std::nullopt;
  }

  std::size_t max_;
  ListenerClocks clocks_;
  DropCounters<Endpoint> drops_{max_absent_endpoints};
  CreatedTime counted_at_;  ///< shortly before the previous dump that was added to drops_
  std::uint64_t aggregated_drops_ = 0;
  ListenDropCounters listen_drops_;
  std::uint64_t aggregated_listen_drops_ = 0;
  AcceptProgress progress_;
  std::optional<AcceptQueueSampler> sampler_;
  std::uint64_t samples_ = 0;
  CpuBudget waiting_budget_{max_waiting_cpu_share};
  kernel::CgroupPaths cgroup_paths_;
};

}  // namespace

std::unique_ptr<Collector> make_listeners(const Settings& settings) {
  return make_listeners_with_clocks(settings, {CpuBudget::Clock::now, thread_cpu});
}

std::unique_ptr<Collector> make_listeners_with_clocks(const Settings& settings,
                                                      ListenerClocks clocks) {
  return std::make_unique<Listeners>(settings, std::move(clocks));
}

}  // namespace inetdiag
