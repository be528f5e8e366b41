// Rules on connections that do not proceed. docs/diagnosis.md says what the numbers mean and what
// else moves them. Sources: net/ipv4/tcp_input.c (tcp_fin, tcp_rcv_state_process),
// net/ipv4/tcp_output.c (tcp_retransmit_skb), net/ipv4/tcp_timer.c, RFC 9293.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "exporter/diagnosis/listener_facts.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

/// Returns for how long `sockets` stay in their state on average, by Little's law: their number /
/// the rate of closes, and in the long run connections close as fast as they open. Absent if the
/// rate is unknown.
std::optional<double> lifetime(double sockets, const NamespaceDelta& delta) {
  const auto active = delta.growth(metric::active_opens);
  const auto passive = delta.growth(metric::passive_opens);
  if (!active || !passive) {
    return std::nullopt;
  }
  const double rate = delta.per_second(*active + *passive);
  return rate > 0 ? sockets / rate : std::numeric_limits<double>::infinity();
}

/// Returns whether `sockets` stay in their state for longer than a close takes.
bool is_lasting(double sockets, const NamespaceDelta& delta) {
  return lifetime(sockets, delta).value_or(0) >= min_lasting_seconds;
}

/// Returns whether the sockets of each port were counted after the previous snapshot: they are in
/// the exporter's own namespace only, and not in every scrape of a host with many.
bool has_new_ports(const NamespaceDelta& delta) {
  return delta.now.value(metric::port_sockets_age).value_or(delta.seconds) < delta.seconds;
}

Affected affected_port(const PortSockets& port, const NamespaceDelta& delta) {
  return {.kind = "port",
          .name = port.is_outgoing() ? "outgoing connections" : "port " + port.port,
          .labels = delta.with_netns({{"port", port.port}})};
}

/// Returns the connections that wait for accept(), at listeners that `matches`. They are in
/// CLOSE_WAIT if the client has closed, and no program can have leaked them.
template <typename Predicate>
double waiting_connections(const Namespace& netns, Predicate matches) {
  double waiting = 0;
  for (const Listener& listener : netns.listeners) {
    waiting += matches(listener) ? listener.waiting : 0;
  }
  return waiting;
}

/// Returns the smaller of two counts in CLOSE_WAIT, without what may not have been accepted.
double accepted(double now, double before, double waiting_now, double waiting_before) {
  return std::min(now, before) - std::max(waiting_now, waiting_before);
}

/// Returns the sockets in CLOSE_WAIT of a port in both snapshots.
double lasting_close_wait(const PortSockets& port, const NamespaceDelta& delta) {
  const PortSockets* then = delta.previous(port, &Namespace::ports, &PortSockets::port);
  if (then == nullptr || std::min(port.close_wait, then->close_wait) < min_close_wait) {
    return 0;
  }
  const auto is_here = [&](const Listener& listener) {
    // The port `other` is that of listeners whose ports have no series of their own.
    return listener.endpoint.port == port.port || port.port == "other";
  };
  return then == nullptr
             ? 0
             : accepted(port.close_wait, then->close_wait, waiting_connections(delta.now, is_here),
                        waiting_connections(*delta.before, is_here));
}

double lasting_close_wait(const NamespaceDelta& delta) {
  const auto is_any = [](const Listener& /*listener*/) { return true; };
  return delta.before == nullptr
             ? 0
             : accepted(delta.now.sockets_in("close_wait"), delta.before->sockets_in("close_wait"),
                        waiting_connections(delta.now, is_any),
                        waiting_connections(*delta.before, is_any));
}

bool is_leak(double close_wait, const NamespaceDelta& delta) {
  return close_wait >= min_close_wait &&
         (is_lasting(close_wait, delta) ||
          (close_wait >= min_very_many_close_wait &&
           lifetime(close_wait, delta).value_or(min_lasting_seconds_of_very_many) >=
               min_lasting_seconds_of_very_many));
}

/// Returns whether so many connections do not move in either snapshot that it is no coincidence.
bool are_many(double now, double before, double open) {
  const double lasting = std::min(now, before);
  return lasting >= min_stalled_connections && lasting >= open * min_stalled_connections_ratio;
}

/// Clients that are out of reach stay for minutes, and others of a web server for a second: a few
/// can be a large share.
Severity severity_of_stalled(const PortSockets& port) {
  return port.is_outgoing() ? Severity::warning : Severity::notice;
}

Finding unreachable_peers(const PortSockets& port) {
  return {.severity = severity_of_stalled(port),
          .rule = "peers_unreachable",
          .summary = format_number(port.retransmitting) + " of " + format_number(port.open()) +
                     " open connections have retransmitted their oldest segment at least twice: "
                     "their peers are gone, or the network to them is down.",
          .evidence = {{"retransmitting", port.retransmitting}, {"open", port.open()}},
          .limit = "net.ipv4.tcp_retries2: a connection gives up after some 15 minutes",
          .action =
              "See which peers (`ss -tno state established`, timer `on` with a last number of "
              "2 or more): one network points to its link or router, all of them to this "
              "host's (`ip -s link`, `ip route get PEER`, packet filters, conntrack).",
          .damage = {.share = port.retransmitting / port.open()}};
}

/// Players and slow links close their windows, and so does every receiver that is slower than this
/// host.
Finding peers_that_do_not_read(const PortSockets& port) {
  return {.severity = Severity::notice,
          .rule = "peers_not_reading",
          .summary = format_number(port.probing_window) + " of " + format_number(port.open()) +
                     " open connections wait for a peer that has closed its window: it reads more "
                     "slowly than this host sends, or not at all.",
          .evidence = {{"probing_window", port.probing_window}, {"open", port.open()}},
          .action =
              "Normal for players and bulk receivers. If it is new, find the peers (`ss -tno "
              "state established`, timer `persist`) and see what they wait for.",
          .damage = {.share = port.probing_window / port.open()}};
}

/// Idle connections of a pool may hold a greeting or TLS session tickets, and a garbage collection
/// or a slow request can stop a program for a second.
Severity severity_of_unread(const PortSockets& port) {
  return port.is_outgoing() || port.unread_unchanged_seconds < min_certain_unread_seconds
             ? Severity::notice
             : Severity::warning;
}

Finding close_wait_finding(double close_wait, bool is_outgoing) {
  return {
      .severity = Severity::warning,
      .rule = "many_close_wait",
      .summary = format_number(close_wait) +
                 " sockets stay in CLOSE_WAIT: their peers have closed the connections, the "
                 "program has not.",
      .limit = "the program's file descriptors (RLIMIT_NOFILE)",
      .action = is_outgoing
                    ? "Find the program (`ss -tnp state close-wait`): it leaks connections, "
                      "for example of a connection pool. No sysctl helps."
                    : "Find out why the program does not call close() (`ss -tnp state "
                      "close-wait`): it leaks connections, hangs, or still sends to clients "
                      "that have shut down their side (Send-Q above 0). No sysctl helps.",
  };
}

void check_close_wait_of_namespace(const NamespaceDelta& delta, Findings& findings) {
  const double lasting = lasting_close_wait(delta);
  if (!is_leak(lasting, delta)) {
    return;
  }
  Finding finding = close_wait_finding(lasting, false);
  finding.affected = namespace_finding(delta).affected;
  finding.evidence = {{"close_wait", delta.now.sockets_in("close_wait")}};
  finding.metric = selector("inetdiag_tcp_sockets", delta.with_netns({{"state", "close_wait"}}));
  findings.push_back(std::move(finding));
}

}  // namespace

void close_wait(const NamespaceDelta& delta, Findings& findings) {
  if (!has_new_ports(delta)) {
    check_close_wait_of_namespace(delta, findings);
    return;
  }
  for (const PortSockets& port : delta.now.ports) {
    const double lasting = lasting_close_wait(port, delta);
    if (!is_leak(lasting, delta)) {
      continue;
    }
    Finding finding = close_wait_finding(lasting, port.is_outgoing());
    finding.affected = affected_port(port, delta);
    finding.evidence = {{"close_wait", port.close_wait}, {"sockets", port.all}};
    finding.metric = selector("inetdiag_tcp_port_sockets",
                              delta.with_netns({{"port", port.port}, {"state", "close_wait"}}));
    findings.push_back(std::move(finding));
  }
}

void stalled_connections(const NamespaceDelta& delta, Findings& findings) {
  if (!has_new_ports(delta)) {
    return;
  }
  for (const PortSockets& port : delta.now.ports) {
    const PortSockets* then = delta.previous(port, &Namespace::ports, &PortSockets::port);
    if (then == nullptr) {
      continue;
    }
    const auto add = [&](Finding finding, const char* reason) {
      finding.affected = affected_port(port, delta);
      finding.metric = selector("inetdiag_tcp_port_stalled_sockets",
                                delta.with_netns({{"port", port.port}, {"reason", reason}}));
      findings.push_back(std::move(finding));
    };
    if (are_many(port.retransmitting, then->retransmitting, port.open())) {
      add(unreachable_peers(port), "retransmission");
    }
    if (are_many(port.probing_window, then->probing_window, port.open())) {
      add(peers_that_do_not_read(port), "zero_window");
    }
  }
}

void unread_connections(const NamespaceDelta& delta, Findings& findings) {
  if (delta.now.value(metric::port_sockets_age).value_or(0) >= max_port_sockets_age) {
    return;
  }
  for (const PortSockets& port : delta.now.ports) {
    // A program that reads at least one connection changes its queue.
    if (port.unread < min_stalled_connections ||
        port.unread < port.established * min_unread_ratio ||
        port.unread_unchanged_seconds < min_unread_seconds) {
      continue;
    }
    Finding finding{
        .severity = severity_of_unread(port),
        .rule = "program_not_reading",
        .affected = affected_port(port, delta),
        .summary = format_number(port.unread) + " of " + format_number(port.established) +
                   " established connections have unread bytes, and none of these queues has "
                   "changed for " +
                   format_duration(port.unread_unchanged_seconds) + ".",
        .evidence = {{"unread", port.unread},
                     {"established", port.established},
                     {"unchanged_seconds", port.unread_unchanged_seconds}},
        .action =
            "Find the program (`ss -tnp state established`, Recv-Q above 0) and see what it "
            "waits for (`cat /proc/PID/stack`, a stack trace, its logs): a lock, a database, "
            "a full disk. Larger buffers do not help." +
            (port.unread_unchanged_seconds < min_certain_unread_seconds
                 ? std::string(" Confirm it with `inetdiag_exporter check --interval=10s`: a pause "
                               "of a second is usual.")
                 : ""),
        .metric = selector("inetdiag_tcp_port_unread_unchanged_seconds",
                           delta.with_netns({{"port", port.port}})),
        .damage = {.share = port.unread / port.established,
                   .age_seconds = port.unread_unchanged_seconds}};
    findings.push_back(std::move(finding));
  }
}

void stalled_closes(const NamespaceDelta& delta, Findings& findings) {
  const double stalled = delta.now.value(metric::stalled_closes).value_or(0);
  const double closing_before = delta.before == nullptr ? 0
                                                        : delta.before->sockets_in("fin_wait1") +
                                                              delta.before->sockets_in("last_ack");
  if (std::min(stalled, closing_before) < min_stalled_closes) {
    return;
  }
  Finding finding = namespace_finding(delta);
  finding.severity = Severity::warning;
  finding.rule = "closing_stalled";
  finding.summary =
      format_number(stalled) +
      " closed connections stay in FIN_WAIT1 or LAST_ACK while the kernel retransmits "
      "or probes a closed window: their peers are gone, unreachable, or do not read.";
  finding.evidence = {{"stalled", stalled},
                      {"fin_wait1", delta.now.sockets_in("fin_wait1")},
                      {"last_ack", delta.now.sockets_in("last_ack")},
                      {"orphans", delta.now.value(metric::orphans)}};
  finding.limit = "net.ipv4.tcp_max_orphans of the host";
  finding.action =
      "See their peers and timers (`ss -tno state fin-wait-1 state last-ack`): `on` with "
      "retransmissions is a dead peer or network, `persist` a peer that does not read. "
      "tcp_orphan_retries limits how long they stay.";
  finding.metric = metric::stalled_closes;
  findings.push_back(std::move(finding));
}

void retransmissions(const NamespaceDelta& delta, Findings& findings) {
  const double sent = delta.growth(metric::sent_segments).value_or(0);
  // Unanswered SYNs and SYN-ACKs have rules of their own. A tail loss probe is sent after two round
  // trips without an ACK; if nothing was lost, the peer answers with a duplicate SACK (RFC 2883).
  const double needless_probes = std::min(delta.growth(metric::loss_probes).value_or(0),
                                          delta.growth(metric::duplicate_sacks).value_or(0));
  const double retransmitted = delta.growth(metric::retransmitted_segments).value_or(0) -
                               delta.growth(metric::syn_retransmissions).value_or(0) -
                               needless_probes;
  const double ratio = retransmitted / std::max(sent + retransmitted, 1.0);
  if (retransmitted < min_retransmissions || ratio < min_retransmission_ratio) {
    return;
  }
  Finding finding = namespace_finding(delta);
  finding.severity = Severity::warning;
  finding.rule = "retransmissions";
  finding.summary = "The kernel retransmitted " + format_number(retransmitted) + " segments" +
                    delta.over_interval() + ", " + format_percent(ratio) +
                    " of all that it sent: packets are lost on the way, or peers are gone.";
  finding.evidence = {{"new_retransmitted_segments", retransmitted}, {"new_segments", sent}};
  finding.action =
      "See whether all peers are affected or one (`ss -tino`, retrans): one is its network or the "
      "peer itself, all of them a link, a NIC (`ip -s link`) or a shaper (`tc -s qdisc`) of this "
      "host.";
  finding.metric = metric::retransmitted_segments;
  finding.damage = {.per_second = delta.per_second(retransmitted), .share = ratio};
  findings.push_back(std::move(finding));
}

void syn_sent(const NamespaceDelta& delta, Findings& findings) {
  const double unanswered = delta.now.value(metric::syn_sent_retransmitted).value_or(0);
  if (unanswered < min_unanswered_syns) {
    return;
  }
  const std::string name = namespace_name(delta.netns, delta.now.pod);
  const double connected = delta.now.sockets_in("established");
  Finding finding = namespace_finding(delta);
  // A crawler or a peer-to-peer node always tries some dead peers.
  finding.severity =
      unanswered >= connected * min_unanswered_syns_ratio ? Severity::warning : Severity::notice;
  finding.rule = "syn_sent_waiting";
  finding.affected.name += " (outgoing connections)";
  finding.summary =
      format_number(unanswered) + " outgoing connections of " + name +
      " are still in SYN_SENT after at least one SYN retransmission: peers do not answer.";
  finding.evidence = {{"syn_sent", delta.now.sockets_in("syn_sent")},
                      {"syn_sent_retransmitted", unanswered},
                      {"established", connected}};
  finding.action =
      "Find the peer that does not answer (`ss -tno state syn-sent`): it is down, behind a "
      "firewall that drops SYNs, or its queues are full.";
  finding.metric = metric::syn_sent_retransmitted;
  finding.damage = {.share = unanswered / (unanswered + connected)};
  findings.push_back(std::move(finding));
}

void failed_connects(const NamespaceDelta& delta, Findings& findings) {
  // Clients that reset their half-open connection, as SYN health checks do, count in both.
  const double failed = delta.growth(metric::attempt_fails).value_or(0) -
                        delta.growth(metric::embryonic_resets).value_or(0);
  const double opened = delta.growth(metric::active_opens).value_or(0);
  if (std::min(failed, opened) < min_failed_connects ||
      failed < opened * min_failed_connects_ratio ||
      delta.per_second(failed) < min_failed_connects_per_second) {
    return;
  }
  Finding finding = namespace_finding(delta);
  finding.severity = Severity::warning;
  finding.rule = "connects_failing";
  finding.summary = format_number(failed) + " outgoing connections failed" + delta.over_interval() +
                    ", while " + format_number(opened) +
                    " were opened: refused, unreachable or timed out.";
  finding.evidence = {{"new_failed_connects", failed}, {"new_active_opens", opened}};
  finding.action =
      "Find the destination in the logs of the programs. Refused: nothing listens there, or a "
      "packet filter rejects. No metric has the destination; `tcpdump -n 'tcp[tcpflags] & tcp-rst "
      "!= 0'` shows resets.";
  finding.metric = metric::attempt_fails;
  finding.damage = {.per_second = delta.per_second(failed),
                    .share = std::min(1.0, failed / std::max(opened, 1.0))};
  findings.push_back(std::move(finding));
}

}  // namespace inetdiag::diagnosis
