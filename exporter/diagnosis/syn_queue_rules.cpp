// Rules on SYN queues and SYN cookies. docs/diagnosis.md says what the numbers mean and what else
// moves them. Sources: net/ipv4/tcp_input.c (tcp_conn_request, tcp_syn_flood_action),
// net/ipv4/inet_connection_sock.c (reqsk_timer_handler), net/ipv4/tcp_fastopen.c
// (tcp_fastopen_queue_check).
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "exporter/diagnosis/backlog.h"
#include "exporter/diagnosis/listener_facts.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

constexpr const char* find_source =
    "Find the source of the SYNs (`ss -tn state syn-recv`): a flood, clients that the SYN-ACK does "
    "not reach, or, with TCP_DEFER_ACCEPT, clients that have not sent their request.";

/// Returns the capacity of the SYN queue, over all sockets of the listener.
double syn_queue_capacity(const Listener& listener) {
  const double fill = listener.syn_fill.value_or(0);
  return fill > 0 ? std::round(listener.half_open.value_or(0) / fill) : 0;
}

/// Returns whether net.ipv4.tcp_max_syn_backlog limits the SYN queue, not the backlog.
bool is_limited_by_max_syn_backlog(const Listener& listener) {
  return syn_queue_capacity(listener) < listener.backlog + listener.sockets;
}

std::string describe_syn_limit(const Listener& listener, const NamespaceDelta& delta) {
  return is_limited_by_max_syn_backlog(listener)
             ? "net.ipv4.tcp_max_syn_backlog = " +
                   format_number(delta.now.value(metric::max_syn_backlog).value_or(0)) +
                   ": without SYN cookies the kernel drops SYNs of unproven peers from three "
                   "quarters of it"
             : describe_limit(listener, delta.now.value(metric::somaxconn));
}

Finding syn_queue_finding(const Listener& listener, const NamespaceDelta& delta) {
  Finding finding = listener_finding(listener, delta);
  finding.severity = Severity::warning;
  finding.evidence = {{"half_open", listener.half_open},
                      {"half_open_retransmitted", listener.half_open_retransmitted},
                      {"backlog", listener.backlog},
                      {"new_listen_drops", delta.growth(listener, &Listener::listen_drops)}};
  finding.limit = describe_syn_limit(listener, delta);
  finding.action = find_source;
  finding.metric = listener_series("inetdiag_listener_syn_queue_fill_ratio", listener, delta);
  finding.damage = {.per_second = delta.per_second(new_listen_drops(listener, delta)),
                    .share = listener.syn_fill.value_or(0)};
  return finding;
}

std::string syn_queue_places(const Listener& listener) {
  return format_number(listener.half_open.value_or(0)) + " of " +
         format_number(syn_queue_capacity(listener)) + " places";
}

/// Returns the beginning of a sentence. The queue may have been full between the snapshots only.
std::string describe_overflow(const Listener& listener) {
  return listener.syn_fill.value_or(0) >= full_ratio
             ? "The SYN queue is full, " + syn_queue_places(listener)
             : "The SYN queue was full, and " + syn_queue_places(listener) + " are taken now";
}

std::string lengthen(const Listener& listener, const NamespaceDelta& delta) {
  return " To lengthen the queue, " + backlog_advice(listener, delta.now.value(metric::somaxconn)) +
         ".";
}

void describe_cookies(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  finding.rule = "syn_queue_full";
  finding.summary = describe_overflow(listener) + ": the kernel answers new SYNs with SYN cookies.";
  finding.evidence.emplace_back("new_cookies", delta.growth(metric::cookies_sent));
  finding.evidence.emplace_back("new_cookies_received", delta.growth(metric::cookies_received));
  finding.action +=
      lengthen(listener, delta) + " tcp_max_syn_backlog has no effect while tcp_syncookies is 1.";
}

void describe_dropped_syns(Finding& finding, const Listener& listener,
                           const NamespaceDelta& delta) {
  finding.severity = Severity::critical;
  finding.rule = "syn_queue_full";
  finding.summary =
      describe_overflow(listener) + ". net.ipv4.tcp_syncookies is 0: the kernel drops SYNs.";
  finding.evidence.emplace_back("new_syns_dropped", delta.growth(metric::syns_dropped));
  finding.action += " Set net.ipv4.tcp_syncookies to 1.";
  finding.action += is_limited_by_max_syn_backlog(listener)
                        ? " To lengthen the queue, raise net.ipv4.tcp_max_syn_backlog, which "
                          "applies only while tcp_syncookies is 0."
                        : lengthen(listener, delta);
}

void describe_full_or_nearly(Finding& finding, const Listener& listener,
                             const NamespaceDelta& delta) {
  const bool is_full = listener.syn_fill.value_or(0) >= full_ratio;
  const auto syncookies = delta.now.value(metric::syncookies);
  const char* consequence = syncookies == no_cookies ? "the kernel drops the next SYN."
                            : syncookies == cookies_when_full
                                ? "the kernel answers the next SYN with a SYN cookie."
                                : "the kernel sends SYN cookies, or drops SYNs if "
                                  "tcp_syncookies is 0 (its value could not be read).";
  finding.rule = is_full ? "syn_queue_full" : "syn_queue_nearly_full";
  finding.summary =
      is_full ? "The SYN queue is full, " + syn_queue_places(listener) + ": " + consequence
              : "The SYN queue is nearly full: " + syn_queue_places(listener) + ".";
  finding.action += lengthen(listener, delta);
}

/// A full queue, or a queue that was also nearly full in the previous snapshot: a short one may
/// fill for the duration of a handshake.
bool is_persistently_nearly_full(const Listener& listener, const NamespaceDelta& delta) {
  const Listener* then = delta.previous(listener);
  const double before = then == nullptr ? 0 : then->syn_fill.value_or(0);
  return std::min(listener.syn_fill.value_or(0), before) >= nearly_full_ratio &&
         syn_queue_capacity(listener) >= min_queue_capacity;
}

/// Half-open connections that stay although their SYN-ACK was sent again, while clients repeat
/// their SYNs. SYNs with forged addresses are not repeated, and harm nobody while the queue has
/// room.
bool is_unanswered(const Listener& listener, const NamespaceDelta& delta) {
  const Listener* then = delta.previous(listener);
  const double retransmitted = listener.half_open_retransmitted.value_or(0);
  const double repeated_syns = delta.growth(listener, &Listener::socket_drops).value_or(0) -
                               new_listen_drops(listener, delta) -
                               delta.growth(metric::embryonic_resets).value_or(0) -
                               delta.growth(metric::deferred_accept_drops).value_or(0);
  return then != nullptr && repeated_syns > 0 &&
         then->half_open.value_or(0) >= min_unanswered_syn_acks &&
         retransmitted >= min_unanswered_syn_acks &&
         retransmitted >= listener.half_open.value_or(0) * min_unanswered_ratio;
}

void describe_unanswered(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  finding.rule = "syn_acks_unanswered";
  finding.summary = format_number(listener.half_open_retransmitted.value_or(0)) + " of " +
                    format_number(listener.half_open.value_or(0)) +
                    " half-open connections wait for the final ACK although the kernel sent the "
                    "SYN-ACK again, and clients repeat their SYNs: SYN-ACKs or ACKs are lost on "
                    "the way.";
  finding.limit.clear();
  finding.action =
      "See which clients they are (`ss -tno state syn-recv`), and check the way back to them: "
      "routes, firewalls that see one direction only, conntrack. The backlog is not the cause.";
  finding.metric = listener_series("inetdiag_listener_syn_queue_retransmitted", listener, delta);
}

/// Returns whether a finding was added.
bool check_syn_queue(const Listener& listener, const NamespaceDelta& delta, Findings& findings) {
  if (listener.half_open.value_or(0) <= 0 ||
      delta.now.value(metric::syncookies) == cookies_always) {
    return false;
  }
  Finding finding = syn_queue_finding(listener, delta);
  if (sends_cookies(listener, delta)) {
    if (listener.fill >= full_ratio) {
      return true;  // accept_queues() adds cookies_and_full_accept_queue
    }
    describe_cookies(finding, listener, delta);
  } else if (drops_syns(listener, delta)) {
    describe_dropped_syns(finding, listener, delta);
  } else if (is_persistently_nearly_full(listener, delta)) {
    describe_full_or_nearly(finding, listener, delta);
  } else if (is_unanswered(listener, delta)) {
    describe_unanswered(finding, listener, delta);
  } else {
    return false;
  }
  if (finding.rule != "syn_acks_unanswered") {
    finding.action += find_peers(listener, "--state=syn_recv");
  }
  findings.push_back(std::move(finding));
  return true;
}

/// Uses counters to find SYN queues that were full only between the snapshots.
void check_syn_counters(const NamespaceDelta& delta, Findings& findings) {
  Finding finding = namespace_finding(delta);
  double drops = delta.growth(metric::syns_dropped).value_or(0);
  for (const Listener& listener : delta.now.listeners) {
    drops -= new_listen_drops(listener, delta);
  }
  if (drops > 0) {
    finding.severity = severity_of_drops(drops, delta);
    finding.rule = "syns_dropped";
    finding.summary = "The kernel dropped " + format_number(drops) + " SYNs" +
                      delta.over_interval() +
                      " because a SYN queue was full and tcp_syncookies is 0. None is full now.";
    finding.evidence = {{"new_syns_dropped", drops}};
    finding.action =
        "Set net.ipv4.tcp_syncookies to 1, or raise the backlog of the listener and "
        "net.ipv4.tcp_max_syn_backlog.";
    finding.metric = metric::syns_dropped;
    finding.damage = {.per_second = delta.per_second(drops)};
  } else if (const double cookies = delta.growth(metric::cookies_sent).value_or(0);
             cookies > 0 && delta.now.value(metric::syncookies) == cookies_when_full) {
    finding.severity = Severity::warning;
    finding.rule = "syn_cookies_sent";
    finding.summary = "The kernel sent " + format_number(cookies) +
                      (cookies > 1 ? " SYN cookies" : " SYN cookie") + delta.over_interval() +
                      ": a SYN queue was full. None is full now.";
    finding.evidence = {{"new_cookies", cookies},
                        {"new_cookies_received", delta.growth(metric::cookies_received)}};
    finding.action =
        "Find the listener with the most half-open connections, and their source "
        "(`ss -tn state syn-recv`).";
    finding.metric = metric::cookies_sent;
  } else {
    return;
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void syn_queues(const NamespaceDelta& delta, Findings& findings) {
  bool is_explained = false;
  for (const Listener& listener : delta.now.listeners) {
    is_explained |= check_syn_queue(listener, delta, findings);
  }
  if (!is_explained) {
    check_syn_counters(delta, findings);
  }
}

void unanswered_cookies(const NamespaceDelta& delta, Findings& findings) {
  const double sent = delta.growth(metric::cookies_sent).value_or(0);
  const auto received = delta.growth(metric::cookies_received);
  if (delta.now.value(metric::syncookies) != cookies_always || sent < min_cookies_sent ||
      !received || *received >= sent * min_cookies_received_ratio) {
    return;
  }
  Finding finding = namespace_finding(delta);
  finding.severity = Severity::warning;
  finding.rule = "syn_cookies_unanswered";
  finding.summary =
      "The kernel answers every SYN with a SYN cookie (net.ipv4.tcp_syncookies is 2); " +
      format_number(*received) + " of " + format_number(sent) + " came back" +
      delta.over_interval() +
      ". The rest are a SYN flood, SYN-only health checks or scans, or clients that the SYN-ACK "
      "does not reach.";
  finding.evidence = {{"new_cookies_sent", sent}, {"new_cookies_received", received}};
  finding.action =
      "Find the source of the SYNs (`tcpdump -ni any 'tcp[tcpflags] == tcp-syn'`): half-open "
      "connections do not show it, because a cookie leaves none.";
  finding.metric = metric::cookies_sent;
  findings.push_back(std::move(finding));
}

void fastopen_queue(const NamespaceDelta& delta, Findings& findings) {
  const double overflows = delta.growth(metric::fastopen_overflows).value_or(0);
  if (overflows <= 0) {
    return;
  }
  Finding finding = namespace_finding(delta);
  finding.severity = Severity::warning;
  finding.rule = "fastopen_queue_full";
  finding.summary = "The TCP Fast Open queue of a listener was full " + format_number(overflows) +
                    (overflows > 1 ? " times" : " time") + delta.over_interval() +
                    ": these clients needed an ordinary handshake, which costs them a round trip.";
  finding.evidence = {{"new_fastopen_overflows", overflows}};
  finding.limit = "the queue length that the program passes to setsockopt(TCP_FASTOPEN)";
  finding.action =
      "Raise that length in the program (nginx: `listen ... fastopen=N`). The backlog and "
      "net.ipv4.tcp_max_syn_backlog do not limit this queue.";
  finding.metric = metric::fastopen_overflows;
  findings.push_back(std::move(finding));
}

}  // namespace inetdiag::diagnosis
