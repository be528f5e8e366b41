// Rules on the limits of the stack. Sources: net/ipv4/tcp_minisocks.c (tcp_time_wait),
// net/ipv4/inet_hashtables.c (__inet_hash_connect),
// net/ipv4/tcp.c (tcp_check_oom), Documentation/networking/ip-sysctl.rst and
// nf_conntrack-sysctl.rst.
#include <string>
#include <utility>

#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
void time_wait(const NamespaceDelta& delta, Findings& findings) {
  const double ratio = delta.usage_ratio(metric::timewaits, metric::max_tw_buckets);
  const bool is_overflowing = delta.grew(metric::time_wait_overflows);
  if (ratio < nearly_full_ratio && !is_overflowing) {
    return;
  }
  const bool is_acting = ratio >= full_ratio || is_overflowing;
  const double limit = delta.now.value(metric::max_tw_buckets).value_or(0);
  findings.push_back(
      {.severity = Severity::warning,
       .rule = is_acting ? "time_wait_full" : "time_wait_nearly_full",
       .affected = delta.affected_limit("net.ipv4.tcp_max_tw_buckets"),
       .summary = is_overflowing
                      ? "TIME_WAIT sockets reached their limit: " +
                            format_number(*delta.growth(metric::time_wait_overflows)) +
                            " connections closed without TIME_WAIT" + delta.over_interval() +
                            ", and late segments may reset new connections."
                  : is_acting ? "TIME_WAIT sockets have reached their limit."
                              : "TIME_WAIT sockets are near their limit.",
       .evidence = {{"timewait_sockets", delta.now.value(metric::timewaits).value_or(0)},
                    {"max_tw_buckets", limit},
                    {"new_overflows", delta.growth(metric::time_wait_overflows)}},
       .limit = "net.ipv4.tcp_max_tw_buckets = " + format_number(limit),
       .action = "Raise net.ipv4.tcp_max_tw_buckets (about 250 bytes per socket) and have clients "
                 "reuse connections. The duration of TIME_WAIT is fixed; tcp_fin_timeout does not "
                 "change it.",
       .metric = std::string(metric::time_wait_overflows)});
}

void ephemeral_ports(const NamespaceDelta& delta, Findings& findings) {
  const double ratio = delta.now.value(metric::ephemeral_ports_fill).value_or(0);
  if (ratio < nearly_full_ratio ||
      delta.now.value(metric::port_sockets_age).value_or(0) >= max_port_sockets_age) {
    return;
  }
  const double usable = delta.now.value(metric::ephemeral_ports_usable).value_or(0);
  const bool is_exhausted = ratio >= min_exhausted_ports_ratio;
  findings.push_back(
      {.severity = is_exhausted ? Severity::critical : Severity::warning,
       .rule = is_exhausted ? "ephemeral_ports_exhausted" : "ephemeral_ports_nearly_exhausted",
       .affected = delta.affected_limit("net.ipv4.ip_local_port_range"),
       .summary = is_exhausted
                      ? "Connections from one source address to one destination use almost all "
                        "ephemeral ports: connect() fails with EADDRNOTAVAIL, or is about to fail."
                      : "Connections from one source address to one destination use " +
                            format_percent(ratio) +
                            " of the ephemeral ports; without a free one, connect() fails with "
                            "EADDRNOTAVAIL.",
       .evidence = {{"ports_in_use", ratio * usable}, {"usable_ports", usable}},
       .limit = "net.ipv4.ip_local_port_range: " + format_number(usable) + " usable ports",
       .action =
           "Find the destination (`inetdiag_exporter sockets --top=destination`) and the state of "
           "its connections (`ss -tan dst ADDRESS`). Mostly TIME_WAIT: the program opens a "
           "connection for each request; reuse connections, or set net.ipv4.tcp_tw_reuse = 1. "
           "Mostly ESTABLISHED or CLOSE_WAIT: limit the connection pool, or look for a leak. More "
           "destination or source addresses, or a wider range, make room.",
       .metric = std::string(metric::ephemeral_ports_fill),
       .damage = {.share = ratio}});
}

void orphans(const NamespaceDelta& delta, Findings& findings) {
  const double ratio = delta.usage_ratio(metric::orphans, metric::max_orphans);
  if (ratio < min_orphans_ratio) {
    return;
  }
  const double limit = delta.now.value(metric::max_orphans).value_or(0);
  const bool is_full = ratio >= full_ratio;
  findings.push_back(
      {.severity = is_full ? Severity::critical : Severity::warning,
       .rule = is_full ? "orphans_full" : "orphans_near_limit",
       .affected = delta.affected_limit("net.ipv4.tcp_max_orphans"),
       .summary = is_full
                      ? "Orphaned connections (no program holds them) have reached their limit: "
                        "the kernel resets them."
                      : "Orphaned connections (no program holds them) are near their limit.",
       .evidence = {{"orphans", delta.now.value(metric::orphans).value_or(0)},
                    {"max_orphans", limit},
                    {"new_memory_aborts", delta.growth(metric::memory_aborts)}},
       .limit = "net.ipv4.tcp_max_orphans = " + format_number(limit) +
                "; an orphan counts up to four times if its peer is unresponsive",
       .action = "Find the connections in FIN_WAIT1 and LAST_ACK (`ss -tn state fin-wait-1`): "
                 "their peers do not read or are gone. Raise net.ipv4.tcp_max_orphans (an orphan "
                 "may hold up to 64 kB) or lower net.ipv4.tcp_orphan_retries.",
       .metric = std::string(metric::orphans)});
}

namespace {

/// The kernel resets an orphan that counts several times against the limit, far below it
/// (net/ipv4/tcp_timer.c, tcp_out_of_resources).
Finding orphan_resets(const NamespaceDelta& delta) {
  const double resets = delta.growth(metric::memory_aborts).value_or(0);
  const double limit = delta.now.value(metric::max_orphans).value_or(0);
  return {.severity = Severity::warning,
          .rule = "orphans_reset",
          .affected = delta.affected_limit("net.ipv4.tcp_max_orphans"),
          .summary = "The kernel reset " + format_number(resets) + " orphaned connections" +
                     delta.over_interval() +
                     " because there were too many: one with an unresponsive peer counts up to "
                     "four times.",
          .evidence = {{"orphans", delta.now.value(metric::orphans)},
                       {"max_orphans", limit},
                       {"new_memory_aborts", resets}},
          .limit = "net.ipv4.tcp_max_orphans = " + format_number(limit),
          .action =
              "Find the connections in FIN_WAIT1 and LAST_ACK (`ss -tno state fin-wait-1 state "
              "last-ack`): their peers do not read or are gone. Raise "
              "net.ipv4.tcp_max_orphans (an orphan may hold up to 64 kB).",
          .metric = std::string(metric::memory_aborts),
          .damage = {.per_second = delta.per_second(resets)}};
}

}  // namespace

void tcp_memory(const NamespaceDelta& delta, Findings& findings) {
  const auto bytes = delta.now.value(metric::tcp_memory_bytes);
  const auto pressure = delta.now.value(metric::tcp_memory_pressure);
  const auto high = delta.now.value(metric::tcp_memory_high);
  const bool is_high = bytes && high && *bytes >= *high;
  const bool is_under_pressure = bytes && pressure && *bytes >= *pressure;
  const bool is_aborting = delta.grew(metric::memory_aborts);
  if (!is_high && !is_under_pressure && !is_aborting && !delta.grew(metric::memory_pressures)) {
    return;
  }
  if (is_aborting && bytes && pressure && !is_under_pressure &&
      !delta.grew(metric::memory_pressures)) {
    findings.push_back(orphan_resets(delta));  // the same counter
    return;
  }
  const bool is_acting = is_high || is_aborting;
  findings.push_back(
      {.severity = is_acting ? Severity::critical : Severity::warning,
       .rule = is_acting ? "tcp_memory_full" : "tcp_memory_pressure",
       .affected = delta.affected_limit("net.ipv4.tcp_mem"),
       .summary =
           is_aborting ? "The kernel reset " + format_number(*delta.growth(metric::memory_aborts)) +
                             " connections" + delta.over_interval() +
                             " for lack of TCP memory or because of too many orphans."
           : is_high ? "TCP memory has reached its limit: the kernel drops segments."
           : is_under_pressure
               ? "TCP memory is above its pressure threshold: windows shrink and connections slow "
                 "down."
               : "TCP memory was above its pressure threshold" + delta.over_interval() +
                     ", and is below it now.",
       .evidence = {{"tcp_memory_bytes", bytes.value_or(0)},
                    {"pressure_bytes", pressure.value_or(0)},
                    {"high_bytes", high.value_or(0)},
                    {"new_memory_aborts", delta.growth(metric::memory_aborts)},
                    {"new_memory_pressures", delta.growth(metric::memory_pressures)}},
       .limit = "net.ipv4.tcp_mem (low, pressure and high, in pages)",
       .action = "Find the sockets that hold the memory (`ss -tnm`, Recv-Q and Send-Q): programs "
                 "that do not read, or peers that do not acknowledge. Raise net.ipv4.tcp_mem if "
                 "the host has memory to spare.",
       .metric = std::string(metric::tcp_memory_bytes)});
}

void conntrack(const NamespaceDelta& delta, Findings& findings) {
  const double ratio = delta.usage_ratio(metric::conntrack_entries, metric::conntrack_limit);
  const bool is_dropping = delta.grew(metric::conntrack_drops);
  const bool is_evicting = delta.grew(metric::conntrack_early_drops);
  if (ratio < nearly_full_ratio && !is_dropping && !is_evicting) {
    return;
  }
  const double limit = delta.now.value(metric::conntrack_limit).value_or(0);
  Finding finding{
      .severity = Severity::warning,
      .rule = "conntrack_nearly_full",
      .affected = delta.affected_limit("net.netfilter.nf_conntrack_max"),
      .summary = is_evicting
                     ? "The conntrack table was full" + delta.over_interval() +
                           ": the kernel evicted entries that were not ASSURED (early drop)."
                     : "The conntrack table is nearly full.",
      .evidence = {{"entries", delta.now.value(metric::conntrack_entries)},
                   {"conntrack_max", limit},
                   {"new_drops", delta.growth(metric::conntrack_drops)},
                   {"new_early_drops", delta.growth(metric::conntrack_early_drops)},
                   {"new_insert_failures", delta.growth(metric::conntrack_insert_failures)}},
      .limit = "net.netfilter.nf_conntrack_max = " + format_number(limit),
      .action =
          "Raise net.netfilter.nf_conntrack_max and, in proportion, nf_conntrack_buckets. "
          "Find out who opens the connections (`conntrack -L`), and lower "
          "nf_conntrack_tcp_timeout_established if entries outlive their connections.",
      .metric = std::string(metric::conntrack_entries)};
  // Failed insertions count as drops too.
  const bool is_dropping_for_room = delta.growth(metric::conntrack_drops).value_or(0) >
                                    delta.growth(metric::conntrack_insert_failures).value_or(0);
  if (ratio >= full_ratio ||
      (is_dropping_for_room && (ratio >= nearly_full_ratio || is_evicting))) {
    finding.severity = Severity::critical;
    finding.rule = "conntrack_full";
    finding.summary =
        is_dropping ? "The conntrack table is full: the kernel dropped " +
                          format_number(*delta.growth(metric::conntrack_drops)) +
                          " packets of new connections" + delta.over_interval() + "."
                    : "The conntrack table is full: the kernel drops packets of new connections.";
  } else if (is_dropping && !is_evicting) {
    finding.rule = "conntrack_dropping";
    finding.summary = "Conntrack dropped " + format_number(*delta.growth(metric::conntrack_drops)) +
                      " packets" + delta.over_interval() + " although its table is not full.";
    finding.limit.clear();
    finding.action =
        "If insert_failed grows (`conntrack -S`), two packets of one flow race each other, such as "
        "parallel DNS queries over UDP through NAT: send one query at a time, use TCP, or run a "
        "resolver on the node. A higher nf_conntrack_max does not help.";
    finding.metric = metric::conntrack_drops;
  }
  findings.push_back(std::move(finding));
}

void open_files(const NamespaceDelta& delta, Findings& findings) {
  const double ratio = delta.usage_ratio(metric::open_files, metric::open_files_limit);
  if (ratio < nearly_full_ratio) {
    return;
  }
  const double limit = delta.now.value(metric::open_files_limit).value_or(0);
  const bool is_exhausted = ratio >= full_ratio;
  findings.push_back(
      {.severity = is_exhausted ? Severity::critical : Severity::warning,
       .rule = is_exhausted ? "open_files_exhausted" : "open_files_nearly_exhausted",
       .affected = delta.affected_limit("fs.file-max"),
       .summary = is_exhausted ? "The open files of the host have reached their limit: accept(), "
                                 "socket() and open() fail with ENFILE, except for root."
                               : "The open files of the host, sockets included, are near their "
                                 "limit; at it accept() fails with ENFILE, except for root.",
       .evidence = {{"open_files", delta.now.value(metric::open_files)}, {"file_max", limit}},
       .limit = "fs.file-max = " + format_number(limit),
       .action =
           "Find the processes with most descriptors (`for p in /proc/[0-9]*; do echo "
           "\"$(ls $p/fd 2>/dev/null | wc -l) $p $(cat $p/comm)\"; done | sort -rn | head`): a "
           "leak, or a load that needs them. Raise fs.file-max if the host has memory for "
           "them (about 1 kB each).",
       .metric = std::string(metric::open_files),
       .damage = {.share = ratio}});
}

}  // namespace inetdiag::diagnosis
