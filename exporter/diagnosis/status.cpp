#include "exporter/diagnosis/status.h"

#include <algorithm>
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
  constexpr std::size_t longest = 256;
  std::string name(longest, '\0');
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

std::vector<Finding> findings_of(const NamespaceDelta& look) {
  std::vector<Finding> findings;
  for (const Rule rule : rules) {
    rule(look, findings);
  }
  for (Finding& finding : findings) {
    scope_to_namespace(finding, look);
  }
  return findings;
}

std::vector<Finding> failures(const std::vector<CollectorOutcome>& collectors) {
  std::vector<Finding> findings;
  for (const CollectorOutcome& collector : collectors) {
    if (!collector.success) {
      findings.push_back(
          {.severity = Severity::warning,
           .rule = "collector_failed",
           .affected = {.kind = "collector",
                        .name = "collector " + collector.name,
                        .labels = {{"collector", collector.name}}},
           .summary = "A part of the picture is missing: this collector failed, or was late" +
                      (collector.error.empty() ? "." : ": " + collector.error + "."),
           .action = collector.error.empty() ? "The log of the exporter says why."
                                             : "Mend that, and look again.",
           .metric = "inetdiag_scrape_collector_success{collector=\"" + collector.name + "\"}"});
    }
  }
  return findings;
}

void add_listeners(std::vector<ListenerRow>& rows, const NamespaceDelta& look) {
  const auto somaxconn = look.now.value(metric::somaxconn);
  for (const Listener& listener : look.now.listeners) {
    rows.push_back(
        {.listener = listener,
         .netns = look.netns,
         .pod = look.now.pod,
         .limit = limit_of(listener, somaxconn),
         .new_drops = look.drops_growth(listener, &Namespace::listeners, &Listener::endpoint)});
  }
}

/// The fullest of `things`, whose fill is a member.
template <typename Thing>
const Thing* fullest(const std::vector<Thing>& things) {
  const auto found = std::ranges::max_element(things, {}, &Thing::fill);
  return found == things.end() ? nullptr : &*found;
}

class Usages {
 public:
  Usages(const NamespaceDelta& look, std::vector<Usage>& usages) : look_(look), usages_(usages) {}

  void add_queues() {
    const auto& listeners = look_.now.listeners;
    if (const Listener* listener = fullest(listeners)) {
      add({.name = "fullest accept queue",
           .resource = listener->endpoint.text(),
           .netns = look_.netns,
           .pod = look_.now.pod,
           .used = listener->waiting,
           .limit = listener->backlog,
           .ratio = listener->fill});
    }
    const auto most = std::ranges::max_element(
        listeners, {}, [](const Listener& listener) { return listener.syn_fill; });
    if (most != listeners.end() && most->syn_fill) {
      add({.name = "fullest SYN queue",
           .resource = most->endpoint.text(),
           .netns = look_.netns,
           .pod = look_.now.pod,
           .used = most->half_open.value_or(0),
           .limit = most->backlog,
           .ratio = *most->syn_fill});
    }
    if (const UnixListener* listener = fullest(look_.now.unix_listeners)) {
      add({.name = "fullest UNIX accept queue",
           .resource = listener->path,
           .netns = look_.netns,
           .pod = look_.now.pod,
           .used = listener->waiting,
           .limit = listener->backlog,
           .ratio = listener->fill});
    }
    if (const UdpSockets* sockets = fullest(look_.now.udp)) {
      add({.name = "fullest UDP receive buffer",
           .resource = sockets->endpoint.text(),
           .netns = look_.netns,
           .pod = look_.now.pod,
           .used = sockets->queued_bytes,
           .limit = sockets->limit_bytes,
           .ratio = sockets->fill,
           .is_bytes = true});
    }
  }

  void add_limit(const char* what, std::string_view used, const char* limit_name,
                 std::string_view limit, double unit_bytes = 0) {
    const auto have = look_.now.value(used);
    const auto most = look_.now.value(limit);
    if (have && most && *most > 0) {
      const double scaled = unit_bytes > 0 ? *most * unit_bytes : *most;
      add({.name = what,
           .resource = limit_name,
           .netns = look_.netns,
           .pod = look_.now.pod,
           .used = *have,
           .limit = scaled,
           .ratio = *have / scaled,
           .is_bytes = unit_bytes > 0});
    }
  }

 private:
  void add(Usage usage) {
    if (usage.limit > 0) {
      usages_.push_back(std::move(usage));
    }
  }

  const NamespaceDelta& look_;
  std::vector<Usage>& usages_;
};

void add_usages(std::vector<Usage>& all, const NamespaceDelta& look) {
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  Usages usages(look, all);
  usages.add_queues();
  usages.add_limit("timewait sockets", metric::timewaits, "net.ipv4.tcp_max_tw_buckets",
                   metric::max_tw_buckets);
  usages.add_limit("orphans", metric::orphans, "net.ipv4.tcp_max_orphans", metric::max_orphans);
  usages.add_limit("TCP memory", metric::tcp_memory_bytes, "net.ipv4.tcp_mem, high",
                   metric::tcp_mem_high, page);
  usages.add_limit("UDP memory", metric::udp_memory_bytes, "net.ipv4.udp_mem, high",
                   metric::udp_mem_high, page);
  usages.add_limit("conntrack entries", metric::conntrack_entries, "nf_conntrack_max",
                   metric::conntrack_limit);
}

}  // namespace

std::string where(const std::string& netns, const std::string& pod) {
  return netns.empty() ? "" : " in " + place(netns, pod);
}

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
                .findings = failures(now.snapshot.collectors),
                .listeners = {},
                .usages = {},
                .collectors = now.snapshot.collectors};
  if (before != nullptr) {
    status.seconds_since_previous = std::chrono::duration<double>(now.time - before->time).count();
  }
  for (const auto& [netns, now_there] : now.snapshot.namespaces) {
    const NamespaceDelta look{
        netns, now_there, find_namespace(before != nullptr ? &before->snapshot : nullptr, netns),
        now.snapshot.netns_folder};
    std::ranges::move(findings_of(look), std::back_inserter(status.findings));
    add_listeners(status.listeners, look);
    add_usages(status.usages, look);
  }
  std::ranges::stable_sort(status.findings, std::greater<>(), &Finding::severity);
  std::ranges::stable_sort(status.listeners, std::greater<>(), [](const ListenerRow& row) {
    return std::tuple(std::max(row.listener.fill, row.listener.syn_fill.value_or(0)), row.new_drops,
                      row.listener.drops.value_or(0));
  });
  return status;
}

}  // namespace inetdiag::diagnosis
