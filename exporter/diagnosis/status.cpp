#include "exporter/diagnosis/status.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <tuple>
#include <utility>

#include <unistd.h>

#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/namespace_delta.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/rules.h"

namespace inetdiag::diagnosis {
namespace {

std::string host_name() {
  constexpr std::size_t max_length = 256;
  std::string name(max_length, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) {
    return {};
  }
  name.resize(name.find('\0'));
  return name;
}

const Namespace* find_namespace(const Snapshot* snapshot, const std::string& netns) {
  if (snapshot == nullptr) {
    return nullptr;
  }
  const auto found = snapshot->namespaces.find(netns);
  return found == snapshot->namespaces.end() ? nullptr : &found->second;
}

Findings namespace_findings(const NamespaceDelta& delta) {
  Findings findings;
  for (const Rule rule : rules) {
    rule(delta, findings);
  }
  for (Finding& finding : findings) {
    scope_to_namespace(finding, delta);
  }
  return findings;
}

Findings collector_findings(const std::vector<CollectorOutcome>& collectors) {
  Findings findings;
  for (const CollectorOutcome& collector : collectors) {
    if (!collector.success) {
      const LabelMap labels = {{"collector", collector.name}};
      findings.push_back({.severity = Severity::warning,
                          .rule = "collector_failed",
                          .affected = {.kind = "collector",
                                       .name = "collector " + collector.name,
                                       .labels = labels},
                          .summary = "The collector failed, so problems may be missing here" +
                                     (collector.error.empty() ? "." : ": " + collector.error + "."),
                          .action = collector.error.empty()
                                        ? "See the exporter's log for the cause."
                                        : "Fix the cause and run again.",
                          .metric = selector("inetdiag_scrape_collector_success", labels)});
    }
  }
  return findings;
}

void add_listeners(std::vector<ListenerRow>& rows, const NamespaceDelta& delta) {
  const auto somaxconn = delta.now.value(metric::somaxconn);
  for (const Listener& listener : delta.now.listeners) {
    rows.push_back({.listener = listener,
                    .netns = delta.netns,
                    .pod = delta.now.pod,
                    .limit = limit_of(listener, somaxconn),
                    .new_listen_drops = delta.growth(listener, &Listener::listen_drops),
                    .aggregated = listener.endpoint.is_aggregated()
                                      ? delta.now.value(metric::aggregated_listeners).value_or(0)
                                      : 0,
                    .is_sampled = delta.now.value(metric::accept_queue_samples).has_value()});
  }
}

template <typename Record>
const Record* fullest(const std::vector<Record>& records) {
  const auto found = std::ranges::max_element(records, {}, &Record::fill);
  return found == records.end() ? nullptr : &*found;
}

/// Appends the usages of one network namespace.
class UsageCollector {
 public:
  UsageCollector(const NamespaceDelta& delta, std::vector<Usage>& usages)
      : delta_(delta), usages_(usages) {}

  void add_queues() {
    const auto& listeners = delta_.now.listeners;
    if (const Listener* listener = fullest(listeners)) {
      add({.name = "fullest accept queue",
           .resource = listener->endpoint.text(),
           .used = listener->queue_length(),
           .limit = listener->queue_backlog() + 1,
           .ratio = listener->fill});
    }
    const auto listener = std::ranges::max_element(listeners, {}, &Listener::syn_fill);
    if (listener != listeners.end() && listener->syn_fill) {
      add({.name = "fullest SYN queue",
           .resource = listener->endpoint.text(),
           .used = listener->half_open.value_or(0),
           .limit = *listener->syn_fill > 0
                        ? std::round(listener->half_open.value_or(0) / *listener->syn_fill)
                        : listener->backlog + listener->sockets,
           .ratio = *listener->syn_fill});
    }
    if (const UnixListener* unix_listener = fullest(delta_.now.unix_listeners)) {
      add({.name = "fullest UNIX accept queue",
           .resource = unix_listener->path,
           .used = unix_listener->queue_length(),
           .limit = unix_listener->queue_backlog() + 1,
           .ratio = unix_listener->fill});
    }
    if (const UdpSockets* sockets = fullest(delta_.now.udp)) {
      add({.name = "fullest UDP receive buffer",
           .resource = sockets->endpoint.text(),
           .used = sockets->queue_bytes(),
           .limit = sockets->buffer_bytes(),
           .ratio = sockets->fill,
           .is_bytes = true});
    }
  }

  void add_limits() {
    add_ephemeral_ports();
    add_limit("timewait sockets", metric::timewaits, "net.ipv4.tcp_max_tw_buckets",
              metric::max_tw_buckets);
    add_limit("orphans", metric::orphans, "net.ipv4.tcp_max_orphans", metric::max_orphans);
    add_limit("TCP memory", metric::tcp_memory_bytes, "net.ipv4.tcp_mem, high",
              metric::tcp_memory_high, true);
    add_limit("UDP memory", metric::udp_memory_bytes, "net.ipv4.udp_mem, high",
              metric::udp_memory_high, true);
    add_limit("conntrack entries", metric::conntrack_entries, "nf_conntrack_max",
              metric::conntrack_limit);
    add_limit("IPv4 neighbours", "inetdiag_neighbour_entries{ipv4}",
              "net.ipv4.neigh.default.gc_thresh3", "inetdiag_neighbour_limit{ipv4}");
    add_limit("IPv6 neighbours", "inetdiag_neighbour_entries{ipv6}",
              "net.ipv6.neigh.default.gc_thresh3", "inetdiag_neighbour_limit{ipv6}");
    add_limit("IPv4 fragments", "inetdiag_fragments_memory_bytes{ipv4}",
              "net.ipv4.ipfrag_high_thresh", "inetdiag_fragments_memory_limit_bytes{ipv4}", true);
    add_limit("IPv6 fragments", "inetdiag_fragments_memory_bytes{ipv6}",
              "net.ipv6.ip6frag_high_thresh", "inetdiag_fragments_memory_limit_bytes{ipv6}", true);
    add_limit("IPv6 route cache", metric::route_cache_entries, "net.ipv6.route.max_size",
              metric::route_cache_limit);
    add_limit("open files", metric::open_files, "fs.file-max", metric::open_files_limit);
  }

 private:
  void add_ephemeral_ports() {
    const auto ratio = delta_.now.value(metric::ephemeral_ports_fill);
    const double usable = delta_.now.value(metric::ephemeral_ports_usable).value_or(0);
    if (ratio) {
      add({.name = "ephemeral ports",
           .resource = "to one destination",
           .used = std::round(*ratio * usable),
           .limit = usable,
           .ratio = *ratio});
    }
  }

  void add_limit(const char* name, std::string_view used, const char* resource,
                 std::string_view limit, bool is_bytes = false) {
    const auto used_value = delta_.now.value(used);
    const double limit_value = delta_.now.value(limit).value_or(0);
    if (used_value && limit_value > 0) {
      add({.name = name,
           .resource = resource,
           .used = *used_value,
           .limit = limit_value,
           .ratio = *used_value / limit_value,
           .is_bytes = is_bytes});
    }
  }

  void add(Usage usage) {
    if (usage.limit > 0) {
      usage.netns = delta_.netns;
      usage.pod = delta_.now.pod;
      usages_.push_back(std::move(usage));
    }
  }

  const NamespaceDelta& delta_;
  std::vector<Usage>& usages_;
};

}  // namespace

std::optional<Severity> Status::severity() const {
  return findings.empty() ? std::nullopt : std::optional(findings.front().severity);
}

const Usage* Status::closest() const {
  const auto found = std::ranges::max_element(usages, {}, &Usage::ratio);
  return found == usages.end() ? nullptr : &*found;
}

bool Status::is_incomplete() const {
  return std::ranges::none_of(collectors, [](const CollectorOutcome& collector) {
    return collector.name == "listeners" && collector.success;
  });
}

Status diagnose(const TimedSnapshot& now, const TimedSnapshot* before) {
  Status status{.time = std::chrono::system_clock::now(),
                .host = host_name(),
                .seconds_since_previous = {},
                .findings = collector_findings(now.snapshot.collectors),
                .listeners = {},
                .usages = {},
                .collectors = now.snapshot.collectors};
  const Snapshot* previous = nullptr;
  if (before != nullptr) {
    previous = &before->snapshot;
    status.seconds_since_previous = std::chrono::duration<double>(now.time - before->time).count();
  }
  for (const auto& [netns, current] : now.snapshot.namespaces) {
    const NamespaceDelta delta{.netns = netns,
                               .now = current,
                               .before = find_namespace(previous, netns),
                               .seconds = status.seconds_since_previous.value_or(0)};
    std::ranges::move(namespace_findings(delta), std::back_inserter(status.findings));
    add_listeners(status.listeners, delta);
    UsageCollector usages(delta, status.usages);
    usages.add_queues();
    usages.add_limits();
  }
  std::ranges::stable_sort(status.findings, std::greater<>(), [](const Finding& finding) {
    return std::pair(finding.severity, finding.damage);
  });
  std::ranges::stable_sort(status.usages, std::greater<>(), &Usage::ratio);
  std::ranges::stable_sort(status.listeners, std::greater<>(), [](const ListenerRow& row) {
    return std::tuple(std::max(row.listener.fill, row.listener.syn_fill.value_or(0)),
                      row.new_listen_drops.value_or(0), row.listener.peak_fill.value_or(0));
  });
  return status;
}

}  // namespace inetdiag::diagnosis
