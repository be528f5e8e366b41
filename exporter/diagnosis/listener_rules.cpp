// Rules on the queues of TCP listeners. Sources: net/ipv4/tcp_input.c (tcp_conn_request),
// net/ipv4/tcp_ipv4.c (tcp_v4_syn_recv_sock), include/net/sock.h (sk_acceptq_is_full).
#include <algorithm>
#include <string>
#include <utility>

#include "exporter/diagnosis/backlog.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

// Values of net.ipv4.tcp_syncookies.
constexpr double no_cookies = 0;
constexpr double cookies_when_full = 1;
constexpr double cookies_always = 2;

Affected affected_by(const Listener& listener, const NamespaceDelta& delta) {
  Affected affected{.kind = "listener",
                    .name = listener.endpoint.text(),
                    .labels = delta.with_netns(listener.endpoint.labels())};
  const std::string owner = listener.owner.text();
  if (!owner.empty()) {
    affected.name += " (" + owner + ")";
  }
  affected.labels.merge(listener.owner.labels());
  return affected;
}

std::string listener_series(std::string_view metric, const Listener& listener,
                            const NamespaceDelta& delta) {
  return selector(metric, delta.with_netns(listener.endpoint.labels()));
}

bool has_cookies(const NamespaceDelta& delta) {
  return delta.now.value(metric::syncookies) == cookies_when_full;
}

/// Compares with the backlog, because the SYN queue of kernels before 2025 holds one entry less
/// than the accept queue.
bool is_syn_queue_full(const Listener& listener, const NamespaceDelta& delta) {
  const double half_open = listener.half_open.value_or(0);
  if (half_open <= 0 || delta.now.value(metric::syncookies) == cookies_always) {
    return false;
  }
  const double max_syn_backlog = delta.now.value(metric::max_syn_backlog).value_or(0);
  const bool is_dropping_unproven_peers = delta.now.value(metric::syncookies) == no_cookies &&
                                          max_syn_backlog > 0 &&
                                          half_open >= max_syn_backlog * max_syn_backlog_ratio;
  return is_dropping_unproven_peers || half_open >= listener.backlog ||
         listener.syn_fill.value_or(0) >= full_ratio;
}

bool is_full(const Listener& listener) { return listener.fill >= full_ratio; }

/// Returns whether some listener of the namespace sends cookies: there is no counter per listener.
bool is_sending_cookies(const NamespaceDelta& delta) {
  return has_cookies(delta) && delta.grew(metric::cookies_sent);
}

bool is_full_with_cookies(const Listener& listener, const NamespaceDelta& delta) {
  const bool has_full_syn_queue =
      is_syn_queue_full(listener, delta) ||
      (is_sending_cookies(delta) && listener.syn_fill.value_or(0) >= nearly_full_ratio);
  return is_full(listener) && has_cookies(delta) && has_full_syn_queue;
}

/// Returns whether a full SYN queue explains the listener's drops.
bool is_dropping_syns(const Listener& listener, const NamespaceDelta& delta) {
  return delta.now.value(metric::syncookies) == no_cookies && is_syn_queue_full(listener, delta);
}

constexpr const char* find_cause =
    "Find out why the program does not call accept() fast enough: blocked, overloaded, or too few "
    "workers. ";

/// With SO_REUSEPORT the kernel selects the socket by a hash, so a single queue can be full.
std::string queue_name(const Listener& listener) {
  return listener.sockets > 1 && !listener.endpoint.is_aggregated()
             ? "One of the listener's " + format_number(listener.sockets) + " accept queues"
             : "The accept queue";
}

/// Returns the fields that the findings on both queues of a listener share.
Finding listener_finding(const Listener& listener, const NamespaceDelta& delta,
                         const std::string& length_name, std::optional<double> length) {
  return {.affected = affected_by(listener, delta),
          .evidence = {{length_name, length},
                       {"backlog", listener.backlog},
                       {"drops", listener.drops},
                       {"new_drops",
                        delta.drops_growth(listener, &Namespace::listeners, &Listener::endpoint)}},
          .limit = describe_limit(listener, delta.now.value(metric::somaxconn))};
}

void describe_dropping(Finding& finding, const NamespaceDelta& delta, const std::string& advice) {
  finding.severity = Severity::critical;
  finding.rule = "listener_dropping";
  if (delta.grew(metric::listen_overflows)) {
    finding.summary =
        "The listener is dropping connections although its accept queue has room at the moment: "
        "the queue fills in bursts.";
    finding.action = std::string(find_cause) + "To absorb bursts, " + advice + ".";
  } else {
    finding.summary =
        "The listener is dropping SYNs or final ACKs although its accept queue has room at the "
        "moment.";
    finding.action =
        "Check which counter grows (`nstat -z`): TcpExtListenOverflows means a full accept queue, "
        "TcpExtTCPReqQFullDrop a full SYN queue; otherwise suspect lack of memory, wrong checksums "
        "or a security policy. If a queue is full, " +
        advice + ".";
  }
}

void describe_dropped(Finding& finding, bool has_previous, const std::string& advice) {
  finding.severity = Severity::notice;
  finding.rule = "listener_dropped";
  finding.summary = has_previous
                        ? "The listener dropped connections in the past, but not since the "
                          "previous snapshot."
                        : "The listener has dropped connections since it called listen(). The next "
                          "snapshot shows whether it still does.";
  finding.action = "If the drops increase, " + advice + ".";
}

void check_accept_queue(const Listener& listener, const NamespaceDelta& delta, Findings& findings) {
  const std::string advice = backlog_advice(listener, delta.now.value(metric::somaxconn));
  const auto growth = delta.drops_growth(listener, &Namespace::listeners, &Listener::endpoint);
  Finding finding = listener_finding(listener, delta, "waiting", listener.waiting);
  finding.action = find_cause + ("To lengthen the queue, " + advice) + ".";
  finding.metric = listener_series("inetdiag_listener_accept_queue_fill_ratio", listener, delta);
  if (listener.sockets > 1) {
    finding.evidence.emplace_back("sockets", listener.sockets);
    finding.evidence.emplace_back("fullest_ratio", listener.fill);
  }
  if (is_full_with_cookies(listener, delta)) {
    finding.severity = Severity::critical;
    finding.rule = "cookies_and_full_accept_queue";
    finding.evidence.emplace_back("half_open", listener.half_open);
    finding.evidence.emplace_back("new_cookies", delta.growth(metric::cookies_sent));
    finding.summary = queue_name(listener) +
                      " is full, and the SYN queue overflows into SYN cookies. Clients that "
                      "received a cookie believe that they are connected, but the kernel drops "
                      "their final ACK and they time out. The kernel also drops new SYNs.";
    finding.action += " SYN cookies do not help while the accept queue is full.";
  } else if (is_full(listener)) {
    finding.severity = Severity::critical;
    finding.rule = "accept_queue_full";
    finding.summary = queue_name(listener) + " is full: the kernel drops new connections.";
  } else if (growth.value_or(0) > 0 && !is_dropping_syns(listener, delta)) {
    describe_dropping(finding, delta, advice);
    finding.metric = listener_series("inetdiag_listener_drops_total", listener, delta);
  } else if (listener.fill >= nearly_full_ratio) {
    finding.severity = Severity::warning;
    finding.rule = "accept_queue_nearly_full";
    finding.summary = queue_name(listener) + " is nearly full.";
  } else if (listener.drops.value_or(0) > 0 && !is_syn_queue_full(listener, delta)) {
    describe_dropped(finding, growth.has_value(), advice);
    finding.metric = listener_series("inetdiag_listener_drops_total", listener, delta);
  } else {
    return;
  }
  findings.push_back(std::move(finding));
}

void describe_dropped_syns(Finding& finding, const NamespaceDelta& delta) {
  finding.severity = Severity::critical;
  finding.summary = "The SYN queue is full and tcp_syncookies is 0: the kernel drops SYNs.";
  finding.evidence.emplace_back("new_syns_dropped", delta.growth(metric::syns_dropped));
  if (const auto max_syn_backlog = delta.now.value(metric::max_syn_backlog)) {
    finding.evidence.emplace_back("max_syn_backlog", max_syn_backlog);
    finding.limit += "; net.ipv4.tcp_max_syn_backlog = " + format_number(*max_syn_backlog) +
                     " (from three quarters of it, the kernel drops SYNs of unproven peers)";
  }
  finding.action +=
      " Set net.ipv4.tcp_syncookies to 1, or raise net.ipv4.tcp_max_syn_backlog, which applies "
      "only while tcp_syncookies is 0.";
}

void check_syn_queue(const Listener& listener, const NamespaceDelta& delta, Findings& findings) {
  if (!is_syn_queue_full(listener, delta) || is_full_with_cookies(listener, delta)) {
    return;
  }
  Finding finding = listener_finding(listener, delta, "half_open", listener.half_open);
  finding.severity = Severity::warning;
  finding.rule = "syn_queue_full";
  finding.action =
      "Find the source of the SYNs (`ss -tn state syn-recv`): a flood, or clients that the SYN-ACK "
      "does not reach. To lengthen the queue, " +
      backlog_advice(listener, delta.now.value(metric::somaxconn)) + ".";
  finding.metric = listener_series("inetdiag_listener_syn_queue_fill_ratio", listener, delta);
  if (has_cookies(delta)) {
    finding.summary = "The SYN queue is full: the kernel answers new SYNs with SYN cookies.";
    finding.evidence.emplace_back("new_cookies", delta.growth(metric::cookies_sent));
    finding.action += " tcp_max_syn_backlog has no effect while tcp_syncookies is 1.";
  } else if (delta.now.value(metric::syncookies)) {
    describe_dropped_syns(finding, delta);
  } else {
    finding.summary =
        "The SYN queue is full: the kernel sends SYN cookies, or drops SYNs if tcp_syncookies is 0 "
        "(its value could not be read).";
  }
  findings.push_back(std::move(finding));
}

Finding namespace_finding(const NamespaceDelta& delta) {
  return {.affected = {.kind = "namespace",
                       .name = namespace_name(delta.netns, delta.now.pod),
                       .labels = delta.with_netns({})}};
}

bool is_full_syn_queue(const Finding& finding) {
  return finding.rule == "syn_queue_full" || finding.rule == "cookies_and_full_accept_queue";
}

/// Uses counters to find SYN queues that were full only between the snapshots.
void check_syn_counters(const NamespaceDelta& delta, Findings& findings) {
  Finding finding = namespace_finding(delta);
  if (delta.now.value(metric::syncookies) == cookies_always) {
    finding.severity = Severity::notice;
    finding.rule = "syn_cookies_always";
    finding.summary =
        "The kernel answers every SYN with a SYN cookie because net.ipv4.tcp_syncookies is 2: the "
        "cookie counters do not indicate full queues.";
    finding.action =
        "Set net.ipv4.tcp_syncookies to 1, unless this is a test: cookies lose TCP options.";
    finding.metric = metric::syncookies;
  } else if (delta.grew(metric::syns_dropped)) {
    finding.severity = Severity::critical;
    finding.rule = "syns_dropped";
    finding.summary = "The kernel drops SYNs because a SYN queue is full and tcp_syncookies is 0.";
    finding.evidence = {{"new_syns_dropped", delta.growth(metric::syns_dropped)}};
    finding.action =
        "Set net.ipv4.tcp_syncookies to 1, or raise the backlog of the listener and "
        "net.ipv4.tcp_max_syn_backlog.";
    finding.metric = metric::syns_dropped;
  } else if (is_sending_cookies(delta)) {
    finding.severity = Severity::warning;
    finding.rule = "syn_cookies_sent";
    finding.summary = "The kernel sends SYN cookies: a SYN queue fills in bursts.";
    finding.evidence = {{"new_cookies", delta.growth(metric::cookies_sent)}};
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

void accept_queues(const NamespaceDelta& delta, Findings& findings) {
  for (const Listener& listener : delta.now.listeners) {
    check_accept_queue(listener, delta, findings);
  }
}

void syn_queues(const NamespaceDelta& delta, Findings& findings) {
  for (const Listener& listener : delta.now.listeners) {
    check_syn_queue(listener, delta, findings);
  }
  if (std::ranges::none_of(findings, is_full_syn_queue)) {
    check_syn_counters(delta, findings);
  }
}

void abort_on_overflow(const NamespaceDelta& delta, Findings& findings) {
  if (delta.now.value(metric::abort_on_overflow).value_or(0) <= 0) {
    return;
  }
  const bool is_acting = std::ranges::any_of(delta.now.listeners, is_full);
  Finding finding = namespace_finding(delta);
  finding.severity = is_acting ? Severity::warning : Severity::notice;
  finding.rule = "abort_on_overflow";
  finding.summary =
      is_acting ? "net.ipv4.tcp_abort_on_overflow is 1 and an accept queue is full: the kernel "
                  "resets clients instead of letting them retry."
                : "net.ipv4.tcp_abort_on_overflow is 1: if a burst fills an accept queue, the "
                  "kernel resets clients instead of letting them retry.";
  finding.limit = "net.ipv4.tcp_abort_on_overflow";
  finding.action =
      "Set net.ipv4.tcp_abort_on_overflow to 0, unless clients handle a quick error better than a "
      "delay.";
  finding.metric = metric::abort_on_overflow;
  findings.push_back(std::move(finding));
}

}  // namespace inetdiag::diagnosis
