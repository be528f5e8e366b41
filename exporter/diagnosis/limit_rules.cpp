// Rules on the limits of the whole stack. Sources: net/ipv4/tcp_minisocks.c (tcp_time_wait),
// net/ipv4/tcp.c (tcp_check_oom), Documentation/networking/ip-sysctl.rst and
// nf_conntrack-sysctl.rst.
#include <algorithm>
#include <string>
#include <utility>

#include <unistd.h>

#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

std::map<std::string, std::string> labels_of(const NamespaceDelta& look) {
  return look.netns.empty() ? std::map<std::string, std::string>()
                            : std::map<std::string, std::string>{{"netns", look.netns}};
}

Affected limit(const std::string& name, const NamespaceDelta& look) {
  return {.kind = "limit", .name = name, .labels = labels_of(look)};
}

double share(const NamespaceDelta& look, std::string_view used, std::string_view most) {
  const double limit = look.now.value(most).value_or(0);
  return limit > 0 ? look.now.value(used).value_or(0) / limit : 0;
}

double page_bytes() { return static_cast<double>(sysconf(_SC_PAGESIZE)); }

}  // namespace

void time_wait(const NamespaceDelta& look, Findings& findings) {
  const double used = share(look, metric::timewaits, metric::max_tw_buckets);
  const bool overflows = look.grew(metric::time_wait_overflows);
  if (used < nearly_full && !overflows) {
    return;
  }
  const bool is_acting = used >= full || overflows;
  const double most = look.now.value(metric::max_tw_buckets).value_or(0);
  findings.push_back(
      {.severity = Severity::warning,
       .rule = is_acting ? "time_wait_full" : "time_wait_nearly_full",
       .affected = limit("net.ipv4.tcp_max_tw_buckets", look),
       .summary = is_acting ? "TIME_WAIT is at its limit: connections close without it, and late "
                              "segments may reset new ones."
                            : "TIME_WAIT is near its limit.",
       .evidence = {{"timewait_sockets", look.now.value(metric::timewaits).value_or(0)},
                    {"max_tw_buckets", most},
                    {"new_overflows", look.growth(metric::time_wait_overflows)}},
       .limit = "net.ipv4.tcp_max_tw_buckets, " + number_text(most),
       .action = "Raise net.ipv4.tcp_max_tw_buckets (a socket takes some 250 bytes), and have "
                 "clients keep connections open. Shortening TIME_WAIT is not possible; "
                 "tcp_fin_timeout is something else.",
       .metric = std::string(metric::time_wait_overflows)});
}

void orphans(const NamespaceDelta& look, Findings& findings) {
  const double used = share(look, metric::orphans, metric::max_orphans);
  if (used < orphans_near) {
    return;
  }
  const double most = look.now.value(metric::max_orphans).value_or(0);
  const bool is_full = used >= full;
  findings.push_back(
      {.severity = is_full ? Severity::critical : Severity::warning,
       .rule = is_full ? "orphans_full" : "orphans_near_limit",
       .affected = limit("net.ipv4.tcp_max_orphans", look),
       .summary = is_full ? "Connections that no program holds are at their limit: they are reset."
                          : "Connections that no program holds are near their limit.",
       .evidence = {{"orphans", look.now.value(metric::orphans).value_or(0)},
                    {"max_orphans", most},
                    {"new_memory_aborts", look.growth(metric::memory_aborts)}},
       .limit = "net.ipv4.tcp_max_orphans, " + number_text(most) +
                "; the kernel counts an orphan up to four times where it doubts its peer",
       .action =
           "Look whose connections wait in FIN_WAIT1 and LAST_ACK (`ss -tn state fin-wait-1`): "
           "peers that do not read, or are gone. Raise net.ipv4.tcp_max_orphans (each may hold "
           "up to 64 kB), or lower net.ipv4.tcp_orphan_retries.",
       .metric = std::string(metric::orphans)});
}

void tcp_memory(const NamespaceDelta& look, Findings& findings) {
  const auto bytes = look.now.value(metric::tcp_memory_bytes);
  const auto pressure = look.now.value(metric::tcp_mem_pressure);
  const auto high = look.now.value(metric::tcp_mem_high);
  const bool aborts = look.grew(metric::memory_aborts);
  const bool is_high = bytes && high && *bytes >= *high * page_bytes();
  const bool is_pressed = bytes && pressure && *bytes >= *pressure * page_bytes();
  const bool pressures = look.grew(metric::memory_pressures);
  if (!is_high && !is_pressed && !aborts && !pressures) {
    return;
  }
  const bool is_acting = is_high || aborts;
  findings.push_back(
      {.severity = is_acting ? Severity::critical : Severity::warning,
       .rule = is_acting ? "tcp_memory_full" : "tcp_memory_pressure",
       .affected = limit("net.ipv4.tcp_mem", look),
       .summary = aborts ? "Connections are reset for lack of TCP memory, or for too many orphans."
                  : is_high
                      ? "TCP memory is at its limit: segments are dropped."
                      : "TCP memory is above its pressure mark: windows shrink and connections "
                        "slow down.",
       .evidence = {{"tcp_memory_bytes", bytes.value_or(0)},
                    {"pressure_bytes", pressure.value_or(0) * page_bytes()},
                    {"high_bytes", high.value_or(0) * page_bytes()},
                    {"new_memory_aborts", look.growth(metric::memory_aborts)},
                    {"new_memory_pressures", look.growth(metric::memory_pressures)}},
       .limit = "net.ipv4.tcp_mem (low, pressure and high, in pages)",
       .action = "Look which sockets hold it (`ss -tnm`, Recv-Q and Send-Q): programs that do not "
                 "read, peers that do not acknowledge. Raise net.ipv4.tcp_mem where the host has "
                 "memory to spare.",
       .metric = std::string(metric::tcp_memory_bytes)});
}

void conntrack(const NamespaceDelta& look, Findings& findings) {
  const double used = share(look, metric::conntrack_entries, metric::conntrack_limit);
  const bool drops = look.grew(metric::conntrack_drops);
  const bool pushes_out = look.grew(metric::conntrack_early_drops);
  if (used < nearly_full && !drops && !pushes_out) {
    return;
  }
  const double most = look.now.value(metric::conntrack_limit).value_or(0);
  Finding finding{
      .severity = Severity::warning,
      .rule = "conntrack_nearly_full",
      .affected = limit("net.netfilter.nf_conntrack_max", look),
      .summary = pushes_out ? "The conntrack table was full: followed connections were pushed out."
                            : "The conntrack table is nearly full.",
      .evidence = {{"entries", look.now.value(metric::conntrack_entries)},
                   {"conntrack_max", most},
                   {"new_drops", look.growth(metric::conntrack_drops)},
                   {"new_early_drops", look.growth(metric::conntrack_early_drops)},
                   {"new_insert_failures", look.growth(metric::conntrack_insert_failures)}},
      .limit = "net.netfilter.nf_conntrack_max, " + number_text(most),
      .action =
          "Raise net.netfilter.nf_conntrack_max and, in proportion, nf_conntrack_buckets; see "
          "who makes the connections (`conntrack -L`), and shorten "
          "nf_conntrack_tcp_timeout_established where they are long dead.",
      .metric = std::string(metric::conntrack_entries)};
  if (used >= full || (drops && (used >= nearly_full || pushes_out))) {
    finding.severity = Severity::critical;
    finding.rule = "conntrack_full";
    finding.summary = "The conntrack table is full: packets of new connections are dropped.";
  } else if (drops && !pushes_out) {
    finding.rule = "conntrack_dropping";
    finding.summary = "conntrack drops packets though its table has room.";
    finding.limit.clear();
    finding.action =
        "Two packets of the same flow race each other where insertions fail: parallel "
        "UDP queries, as of DNS, through NAT (`conntrack -S`). Use one query at a time, "
        "TCP, or a resolver on the node. nf_conntrack_max does not help.";
    finding.metric = metric::conntrack_drops;
  }
  findings.push_back(std::move(finding));
}

void softnet(const NamespaceDelta& look, Findings& findings) {
  if (look.before == nullptr) {
    return;
  }
  double dropped = 0;
  std::string cpus;
  for (const auto& [cpu, count] : look.now.dropped_by_cpu) {
    const auto then = look.before->dropped_by_cpu.find(cpu);
    if (then != look.before->dropped_by_cpu.end() && count > then->second) {
      dropped += count - then->second;
      cpus.append(cpus.empty() ? "" : ", ").append(cpu);
    }
  }
  if (dropped <= 0) {
    return;
  }
  const double most = look.now.value(metric::netdev_max_backlog).value_or(0);
  findings.push_back({.severity = Severity::warning,
                      .rule = "softnet_dropping",
                      .affected = {.kind = "cpu", .name = "CPU " + cpus, .labels = {{"cpu", cpus}}},
                      .summary = "Packets are dropped before the stack sees them: the backlog of a "
                                 "CPU is full.",
                      .evidence = {{"new_drops", dropped}, {"netdev_max_backlog", most}},
                      .limit = "net.core.netdev_max_backlog, " + number_text(most),
                      .action = "Spread the packets over more CPUs (RSS, or RPS by "
                                "/sys/class/net/*/queues/rx-*/rps_cpus), then raise "
                                "net.core.netdev_max_backlog.",
                      .metric = "inetdiag_softnet_dropped_total"});
}

void syn_sent(const NamespaceDelta& look, Findings& findings) {
  const auto found = look.now.tcp_states.find("syn_sent");
  const double waiting = found == look.now.tcp_states.end() ? 0 : found->second;
  if (waiting < syn_sent_notice) {
    return;
  }
  std::map<std::string, std::string> identity = labels_of(look);
  identity.emplace("state", "syn_sent");
  const std::string here = place(look.netns, look.now.pod);
  findings.push_back(
      {.severity = waiting >= syn_sent_warning ? Severity::warning : Severity::notice,
       .rule = "syn_sent_waiting",
       .affected = {.kind = "namespace", .name = here + ", as a client", .labels = labels_of(look)},
       .summary = "Connections that " + here + " begins wait for an answer to their SYN.",
       .evidence = {{"syn_sent", waiting},
                    {"new_syn_retransmissions", look.growth(metric::syn_retransmissions)}},
       .action = "See which peer does not answer (`ss -tn state syn-sent`): it is down, "
                 "filtered, or its queues are full.",
       .metric = selector("inetdiag_tcp_sockets", identity)});
}

void close_wait(const NamespaceDelta& look, Findings& findings) {
  for (const PortSockets& port : look.now.ports) {
    if (port.close_wait < close_wait_min || port.close_wait < port.all * close_wait_share) {
      continue;
    }
    const bool is_outgoing = port.port == "other";
    Affected affected{
        .kind = "port",
        .name = is_outgoing ? "connections without a listener here" : "port " + port.port,
        .labels = labels_of(look)};
    affected.labels.emplace("port", port.port);
    std::map<std::string, std::string> identity = affected.labels;
    identity.emplace("state", "close_wait");
    findings.push_back(
        {.severity = Severity::warning,
         .rule = "close_wait_pile",
         .affected = std::move(affected),
         .summary =
             "Connections pile up in CLOSE_WAIT: the peers closed them, the program does not.",
         .evidence = {{"close_wait", port.close_wait}, {"sockets", port.all}},
         .limit = "the program's file descriptors, in the end",
         .action = is_outgoing
                       ? "Find the program (`ss -tnp state close-wait`): it leaks connections "
                         "of its pool. No sysctl helps."
                       : "Find what the program waits for (`ss -tnp state close-wait`): it "
                         "leaks connections, or hangs before close(). No sysctl helps.",
         .metric = selector("inetdiag_tcp_port_sockets", identity)});
  }
}

}  // namespace inetdiag::diagnosis
