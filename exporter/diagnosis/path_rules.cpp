// Rules on what drops packets and messages outside the queues of TCP, UDP and UNIX sockets.
// docs/diagnosis.md says what the numbers mean and what else moves them. Sources: net/core/dev.c
// (enqueue_to_backlog), net/core/neighbour.c (neigh_alloc), net/ipv4/inet_fragment.c
// (inet_frag_alloc), net/ipv6/route.c (ip6_dst_gc), net/sched/sch_api.c, net/netlink/af_netlink.c
// (netlink_overrun), net/ipv4/raw.c (raw_rcv), net/packet/af_packet.c (packet_rcv).
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/diagnosis/listener_facts.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

struct IpVersion {
  std::string name;
  std::string label;  ///< of values with the label `family`
  std::string neighbour_sysctl;
  std::string ip_command;
  std::string fragments_sysctl;
  std::string_view reassembly_failures;
};

std::array<IpVersion, 2> ip_versions() {
  return {{{"IPv4", "{ipv4}", "net.ipv4.neigh.default.gc_thresh3", "ip -4 neigh",
            "net.ipv4.ipfrag_high_thresh", "inetdiag_nstat_ip_reasm_fails_total"},
           {"IPv6", "{ipv6}", "net.ipv6.neigh.default.gc_thresh3", "ip -6 neigh",
            "net.ipv6.ip6frag_high_thresh", "inetdiag_nstat_ip6_reasm_fails_total"}}};
}

void check_neighbours(const IpVersion& version, const NamespaceDelta& delta, Findings& findings) {
  const std::string entries = "inetdiag_neighbour_entries" + version.label;
  const std::string maximum = "inetdiag_neighbour_limit" + version.label;
  const std::string collections = "inetdiag_neighbour_forced_gc_runs_total" + version.label;
  const auto new_table_fulls = delta.growth("inetdiag_neighbour_table_fulls_total" + version.label);
  const double limit = delta.now.value(maximum).value_or(0);
  const double ratio = delta.usage_ratio(entries, maximum);
  const double failures = new_table_fulls.value_or(0);
  // Permanent entries and learned ones do not count against the limit. Others lead to collections
  // from gc_thresh2 on.
  const bool is_nearly_full =
      ratio >= nearly_full_ratio && delta.now.value(collections).value_or(0) > 0;
  if (failures <= 0 && !is_nearly_full) {
    return;
  }
  const std::string table = version.name + " neighbour table";
  findings.push_back(
      {.severity = failures > 0 ? severity_of_drops(failures, delta) : Severity::warning,
       .rule = failures > 0 ? "neighbour_table_full" : "neighbour_table_nearly_full",
       .affected = delta.affected_limit(version.neighbour_sysctl),
       .summary = failures > 0
                      ? "The " + table +
                            " was full: the kernel dropped packets to new neighbours, " +
                            format_number(failures) + " times" + delta.over_interval() + "."
                      : "The " + table +
                            " is nearly full; at its limit the kernel drops packets to new "
                            "neighbours.",
       .evidence = {{"entries", delta.now.value(entries)},
                    {"gc_thresh3", limit},
                    {"new_table_fulls", new_table_fulls},
                    {"new_forced_gc_runs", delta.growth(collections)}},
       .limit = version.neighbour_sysctl + " = " + format_number(limit) +
                ", for all network namespaces together",
       .action = "Count the entries by device (`" + version.ip_command +
                 " | grep -o 'dev [^ ]*' | sort | uniq -c`): a flat network of many hosts or pods, "
                 "or a scan of a subnet. Raise gc_thresh3 with gc_thresh1 and gc_thresh2 (an entry "
                 "takes about 400 bytes).",
       .metric = std::string(failures > 0 ? "inetdiag_neighbour_table_fulls_total"
                                          : "inetdiag_neighbour_entries"),
       .damage = {.per_second = delta.per_second(failures), .share = ratio}});
}

void check_fragments(const IpVersion& version, const NamespaceDelta& delta, Findings& findings) {
  const std::string memory = "inetdiag_fragments_memory_bytes" + version.label;
  const std::string maximum = "inetdiag_fragments_memory_limit_bytes" + version.label;
  const double ratio = delta.usage_ratio(memory, maximum);
  if (ratio < nearly_full_ratio) {
    return;
  }
  const double failures = delta.growth(version.reassembly_failures).value_or(0);
  const bool is_dropping = ratio >= full_fragments_ratio && failures > 0;
  const double limit = delta.now.value(maximum).value_or(0);
  findings.push_back(
      {.severity = is_dropping ? severity_of_drops(failures, delta) : Severity::warning,
       .rule = is_dropping ? "fragments_full" : "fragments_nearly_full",
       .affected = delta.affected_limit(version.fragments_sysctl),
       .summary = is_dropping
                      ? "The memory for " + version.name +
                            " fragments is full: the kernel failed " + format_number(failures) +
                            " times to reassemble a datagram" + delta.over_interval() + "."
                      : "The memory for " + version.name +
                            " fragments is nearly full; at its limit the kernel drops fragments.",
       .evidence = {{"fragments_bytes", delta.now.value(memory)},
                    {"high_thresh_bytes", limit},
                    {"new_reassembly_failures", delta.growth(version.reassembly_failures)}},
       .limit = version.fragments_sysctl + " = " + format_bytes(limit),
       .action =
           "Find out who sends fragments (`tcpdump -ni any 'ip[6:2] & 0x3fff != 0 or ip6[6] = "
           "44'`): large UDP datagrams, or a tunnel that exceeds the path MTU; lost fragments "
           "hold memory for ipfrag_time. Lower the datagram size or the MTU of the tunnel, or "
           "raise " +
           version.fragments_sysctl + ".",
       .metric = "inetdiag_fragments_memory_bytes",
       .damage = {.per_second = is_dropping ? delta.per_second(failures) : 0, .share = ratio}});
}

/// Kinds that drop on purpose: what exceeds a configured rate, or a share of all packets.
bool is_shaper(std::string_view kind) {
  constexpr auto shapers = std::to_array<std::string_view>({"tbf", "htb", "hfsc", "cbq", "cake"});
  return std::ranges::find(shapers, kind) != shapers.end();
}

void check_qdisc(const Qdisc& qdisc, const NamespaceDelta& delta, Findings& findings) {
  const Qdisc* then = delta.previous(qdisc, &Namespace::qdiscs, &Qdisc::device);
  if (then == nullptr || then->kind != qdisc.kind || qdisc.kind == "netem") {
    return;
  }
  const double drops = NamespaceDelta::difference(qdisc.drops, then->drops).value_or(0);
  const double sent = NamespaceDelta::difference(qdisc.packets, then->packets).value_or(0);
  if (drops < min_qdisc_drops || drops < min_qdisc_drop_ratio * (drops + sent)) {
    return;
  }
  const std::string share = format_percent(drops / (drops + sent));
  const LabelMap labels = delta.with_netns({{"device", qdisc.device}, {"kind", qdisc.kind}});
  Finding finding{
      .severity = Severity::warning,
      .rule = "qdisc_dropping",
      .affected = {.kind = "device",
                   .name = "device " + qdisc.device + " (" + qdisc.kind + ")",
                   .labels = labels},
      .summary = "The queueing discipline of " + qdisc.device + " dropped " + format_number(drops) +
                 " packets" + delta.over_interval() + ", " + share +
                 " of the outgoing packets: the device cannot send as fast as the host.",
      .evidence = {{"queued_packets", qdisc.queued_packets},
                   {"new_drops", drops},
                   {"new_packets_sent", sent},
                   {"new_overlimits",
                    NamespaceDelta::difference(qdisc.overlimits, then->overlimits)}},
      .limit = qdisc.limit_packets
                   ? "queue limit of " + format_number(*qdisc.limit_packets) + " packets"
               : qdisc.limit_bytes ? "queue limit of " + format_bytes(*qdisc.limit_bytes)
                                   : "",
      .action = "Compare the device with its capacity (`tc -s qdisc show dev " + qdisc.device +
                "`, `ip -s link show dev " + qdisc.device +
                "`): a saturated link, or a device that pauses. A longer queue only delays the "
                "drops; send less, or over more links.",
      .metric = selector("inetdiag_qdisc_drops_total", labels),
      .damage = {.per_second = delta.per_second(drops), .share = drops / (drops + sent)}};
  if (is_shaper(qdisc.kind)) {
    finding.severity = Severity::notice;
    finding.rule = "qdisc_rate_exceeded";
    finding.summary = "The rate configured for " + qdisc.device + " is exceeded: " + qdisc.kind +
                      " dropped " + format_number(drops) + " packets" + delta.over_interval() +
                      ", " + share + " of the outgoing packets.";
    finding.action = "See `tc -s qdisc show dev " + qdisc.device +
                     "` (and `tc -s class`): raise the rate, or have the programs send less. TCP "
                     "adapts to the rate with few drops.";
  }
  findings.push_back(std::move(finding));
}

/// What the sockets of a protocol lost since the previous snapshot.
struct Losses {
  double count = 0;
  bool is_unread = false;  ///< a program does not read its socket at all
  std::string owners;      ///< `bird (PID 812), keepalived (PID 90)`

  void add_owner(const DroppingSocket& socket) {
    if (!socket.pid.empty()) {
      owners.append(owners.empty() ? "" : ", ")
          .append(socket.comm)
          .append(" (PID " + socket.pid + ")");
    }
  }
};

/// Raw and packet sockets receive everything of their protocol. Those of a program that only sends
/// are full and drop forever, so it takes a queue that becomes shorter.
Losses losses_of(const DroppingSockets& now, const DroppingSockets& before) {
  Losses losses;
  const bool is_netlink = now.kind == "netlink";
  for (const auto& [inode, socket] : now.by_inode) {
    const auto then = before.by_inode.find(inode);
    // Only sockets with drops have a record.
    const DroppingSocket previous = then == before.by_inode.end() ? DroppingSocket{} : then->second;
    const double drops = socket.drops - previous.drops;
    const bool is_read = socket.queued_bytes == 0 || socket.queued_bytes < previous.queued_bytes;
    if (drops <= 0 || (!is_read && !is_netlink)) {
      continue;
    }
    losses.count += drops;
    losses.is_unread = losses.is_unread || socket.queued_bytes == previous.queued_bytes;
    losses.add_owner(socket);
  }
  // Includes those of sockets that are closed by now. Which sockets have a record may change.
  const double all = NamespaceDelta::difference(now.drops, before.drops).value_or(0);
  losses.count = is_netlink ? all : std::min(losses.count, all);
  return losses;
}

void check_sockets(const DroppingSockets& sockets, const NamespaceDelta& delta,
                   Findings& findings) {
  const DroppingSockets* then =
      delta.previous(sockets, &Namespace::dropping_sockets, &DroppingSockets::name);
  if (then == nullptr) {
    return;
  }
  const Losses losses = losses_of(sockets, *then);
  if (losses.count < min_lost_messages) {
    return;
  }
  const bool is_netlink = sockets.kind == "netlink";
  const bool is_raw = sockets.kind == "raw";
  const LabelMap labels = delta.with_netns(sockets.labels);
  const std::string find_program = is_netlink ? "`ss -f netlink -p`"
                                   : is_raw   ? "`ss -wanp`"
                                              : "`ss -0np`";
  findings.push_back(
      {.severity = Severity::warning,
       .rule = is_netlink ? "netlink_messages_lost"
               : is_raw   ? "raw_packets_dropped"
                          : "packet_socket_drops",
       .affected = {.kind = "socket",
                    .name = sockets.name + " sockets" +
                            (losses.owners.empty() ? "" : " of " + losses.owners),
                    .labels = labels},
       .summary = "The kernel dropped " + format_number(losses.count) +
                  (is_netlink ? " messages" : " packets") + delta.over_interval() + " because " +
                  (is_netlink && losses.is_unread
                       ? "a receive buffer is full and its program does not read it."
                       : "the program does not read its receive buffer fast enough."),
       .evidence = {{"queued_bytes", sockets.queued_bytes}, {"new_drops", losses.count}},
       .limit = "receive buffer of the socket (SO_RCVBUF, net.core.rmem_default)",
       .action =
           (losses.owners.empty() ? "Find the program: " + find_program + ". " : std::string()) +
           (is_netlink
                ? "It may have a wrong view of routes, devices or connections until it reads "
                  "them again. If it is busy, find out with what; otherwise have it set a "
                  "larger SO_RCVBUF."
                : "If it is busy, find out with what; otherwise have it set a larger "
                  "SO_RCVBUF, or a filter for the packets that it needs."),
       .metric = selector("inetdiag_" + sockets.kind + "_drops_total", labels),
       .damage = {.per_second = delta.per_second(losses.count)}});
}

}  // namespace

void neighbour_tables(const NamespaceDelta& delta, Findings& findings) {
  for (const IpVersion& version : ip_versions()) {
    check_neighbours(version, delta, findings);
  }
}

void fragments(const NamespaceDelta& delta, Findings& findings) {
  for (const IpVersion& version : ip_versions()) {
    check_fragments(version, delta, findings);
  }
}

void route_cache(const NamespaceDelta& delta, Findings& findings) {
  const double ratio = delta.usage_ratio(metric::route_cache_entries, metric::route_cache_limit);
  // A kernel that does not enforce the limit has more entries than that.
  if (ratio < nearly_full_ratio || ratio > max_route_cache_ratio) {
    return;
  }
  const double limit = delta.now.value(metric::route_cache_limit).value_or(0);
  findings.push_back(
      {.severity = Severity::warning,
       .rule = "route_cache_nearly_full",
       .affected = delta.affected_limit("net.ipv6.route.max_size"),
       .summary = "The IPv6 route cache is nearly full; at its limit packets to new destinations "
                  "fail.",
       .evidence = {{"entries", delta.now.value(metric::route_cache_entries)}, {"max_size", limit}},
       .limit = "net.ipv6.route.max_size = " + format_number(limit),
       .action = "Raise net.ipv6.route.max_size. Linux 6.3 and later have no such limit.",
       .metric = std::string(metric::route_cache_entries),
       .damage = {.share = ratio}});
}

void qdiscs(const NamespaceDelta& delta, Findings& findings) {
  for (const Qdisc& qdisc : delta.now.qdiscs) {
    check_qdisc(qdisc, delta, findings);
  }
}

void dropping_sockets(const NamespaceDelta& delta, Findings& findings) {
  for (const DroppingSockets& sockets : delta.now.dropping_sockets) {
    check_sockets(sockets, delta, findings);
  }
}

void softnet(const NamespaceDelta& delta, Findings& findings) {
  if (delta.before == nullptr) {
    return;
  }
  double dropped = 0;
  std::string cpus;
  for (const auto& [cpu, count] : delta.now.dropped_by_cpu) {
    const auto previous = delta.before->dropped_by_cpu.find(cpu);
    if (previous != delta.before->dropped_by_cpu.end() && count > previous->second) {
      dropped += count - previous->second;
      cpus.append(cpus.empty() ? "" : ", ").append(cpu);
    }
  }
  if (dropped < min_softnet_drops) {
    return;
  }
  const double limit = delta.now.value(metric::netdev_max_backlog).value_or(0);
  findings.push_back(
      {.severity = Severity::warning,
       .rule = "softnet_dropping",
       .affected = {.kind = "cpu", .name = "CPU " + cpus, .labels = {{"cpu", cpus}}},
       .summary = "The kernel dropped " + format_number(dropped) + " received packets" +
                  delta.over_interval() +
                  " before protocol processing: the backlog of a CPU was full.",
       .evidence = {{"new_drops", dropped}, {"netdev_max_backlog", limit}},
       .limit = "net.core.netdev_max_backlog = " + format_number(limit),
       .action = "Spread the packets over more CPUs (RSS, or RPS with "
                 "/sys/class/net/*/queues/rx-*/rps_cpus), then raise net.core.netdev_max_backlog.",
       .metric = "inetdiag_softnet_dropped_total",
       .damage = {.per_second = delta.per_second(dropped)}});
}

}  // namespace inetdiag::diagnosis
