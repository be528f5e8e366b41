// Rules on accept queues. docs/diagnosis.md says what the numbers mean and what else moves them.
// Sources: net/ipv4/tcp_input.c (tcp_conn_request), net/ipv4/tcp_ipv4.c (tcp_v4_syn_recv_sock),
// include/net/sock.h (sk_acceptq_is_full), net/ipv4/tcp_minisocks.c (tcp_check_req).
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "exporter/diagnosis/backlog.h"
#include "exporter/diagnosis/listener_facts.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/owner_state.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

constexpr const char* find_cause =
    "Find out why the program does not call accept() fast enough: blocked, overloaded, or too few "
    "workers.";

/// With SO_REUSEPORT the kernel selects the socket by a hash, so a single queue can be full.
std::string queue_name(const Listener& listener) {
  return listener.sockets > 1 && !listener.endpoint.is_aggregated()
             ? "The fullest of the listener's " + format_number(listener.sockets) + " accept queues"
             : "The accept queue";
}

/// Returns `17 of 17 places (backlog 16)`.
std::string places(const Listener& listener) {
  const double backlog = listener.queue_backlog();
  return format_number(listener.queue_length()) + " of " + format_number(backlog + 1) +
         " places (backlog " + format_number(backlog) + ")";
}

/// Returns how long clients have waited, as a sentence with a leading blank; empty if unknown.
std::string waiting_text(const Listener& listener) {
  if (!listener.oldest_seconds) {
    return "";
  }
  std::string text =
      " The oldest connection has waited for " + format_duration(*listener.oldest_seconds);
  if (listener.abandoned.value_or(0) > 0) {
    text += "; " + format_number(*listener.abandoned) + " of " + format_number(listener.waiting) +
            " clients have already closed their side";
  }
  if (listener.unread.value_or(0) > 0) {
    text += "; " + format_number(*listener.unread) + (*listener.unread > 1 ? " have" : " has") +
            " sent data";
  }
  return text + ".";
}

/// Returns whether no waiting connection was accepted since the previous snapshot, or for
/// min_waiting_seconds if there is none.
bool accepts_nothing(const Listener& listener, const NamespaceDelta& delta) {
  const double seconds =
      delta.before == nullptr ? min_waiting_seconds : std::min(delta.seconds, min_waiting_seconds);
  return listener.stalled_seconds && *listener.stalled_seconds >= seconds * min_stalled_ratio;
}

/// Returns for how long the queue was full since the previous snapshot, by the samples; absent if
/// unknown.
std::optional<double> full_seconds(const Listener& listener, const NamespaceDelta& delta) {
  const Listener* then = delta.previous(listener);
  const auto all = delta.growth(metric::accept_queue_samples);
  if (then == nullptr || !listener.full_samples || all.value_or(0) <= 0) {
    return std::nullopt;
  }
  // A listener has no samples until a connection waits.
  const double full = std::max(0.0, *listener.full_samples - then->full_samples.value_or(0));
  return std::min(full / *all, 1.0) * delta.seconds;
}

/// Returns whether some of several sockets are not among those that accept nothing.
bool has_other_sockets(const Listener& listener) {
  return listener.stalled_sockets && *listener.stalled_sockets > 0 &&
         *listener.stalled_sockets < listener.sockets;
}

Finding accept_queue_finding(const Listener& listener, const NamespaceDelta& delta) {
  const auto somaxconn = delta.now.value(metric::somaxconn);
  Finding finding = listener_finding(listener, delta);
  finding.evidence = {
      {"waiting", listener.queue_length()},
      {"backlog", listener.queue_backlog()},
      {"oldest_seconds", listener.oldest_seconds},
      {"stalled_seconds", listener.stalled_seconds},
      {"abandoned", listener.abandoned},
      {"unread", listener.unread},
      {"full_seconds", full_seconds(listener, delta)},
      {"peak_fill_ratio", listener.peak_fill},
      {"new_listen_drops", delta.growth(listener, &Listener::listen_drops)},
  };
  if (listener.sockets > 1) {
    finding.evidence.emplace_back("sockets", listener.sockets);
    finding.evidence.emplace_back("waiting_at_all_sockets", listener.waiting);
    finding.evidence.emplace_back("full_sockets", listener.full_sockets);
    finding.evidence.emplace_back("stalled_sockets", listener.stalled_sockets);
  }
  finding.limit = describe_limit(listener, somaxconn);
  finding.action = std::string(find_cause) + " To lengthen the queue, " +
                   backlog_advice(listener, somaxconn) + "." + find_owner(listener);
  finding.metric = listener_series("inetdiag_listener_accept_queue_fill_ratio", listener, delta);
  finding.damage = {
      .per_second = delta.per_second(new_listen_drops(listener, delta)),
      .share = listener.fill,
      .age_seconds = listener.oldest_seconds.value_or(0),
  };
  return finding;
}

/// Returns the inodes of the sockets that accept nothing, such as ` (inode 4711)`.
std::string inodes_text(const Listener& listener) {
  if (listener.stalled_inodes.empty()) {
    return "";
  }
  std::string text = listener.stalled_inodes.size() > 1 ? " (inodes " : " (inode ";
  for (const std::string& inode : listener.stalled_inodes) {
    text.append(inode).append(", ");
  }
  text.replace(text.size() - 2, 2, ")");
  return text;
}

std::string stalled_share(const Listener& listener) {
  return format_number(*listener.stalled_sockets) + " of " + format_number(listener.sockets);
}

/// Returns which of several sockets accept nothing, as a sentence with a leading blank; empty if
/// that is all or none.
std::string member_text(const Listener& listener) {
  return has_other_sockets(listener) ? " " + stalled_share(listener) + " sockets accept" +
                                           (*listener.stalled_sockets > 1 ? "" : "s") +
                                           " no connections" + inodes_text(listener) + "."
                                     : "";
}

void describe_full(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  const Listener* then = delta.previous(listener);
  const bool was_full =
      then != nullptr ? then->fill >= full_ratio : listener.queue_backlog() >= min_queue_capacity;
  const bool is_dropping = may_have_dropped(listener, delta);
  finding.rule = "accept_queue_full";
  finding.summary = queue_name(listener) + " is full, " + places(listener) +
                    (is_dropping ? ": the kernel drops new connections."
                                 : ": the kernel drops the next connection.") +
                    member_text(listener) + waiting_text(listener);
  // One connection fills the queue of listen(0).
  finding.severity = is_dropping || (was_full && listener.queue_backlog() > 0) ? Severity::critical
                                                                               : Severity::warning;
}

void describe_cookies_and_full(Finding& finding, const Listener& listener,
                               const NamespaceDelta& delta) {
  finding.severity = Severity::critical;
  finding.rule = "cookies_and_full_accept_queue";
  finding.evidence.emplace_back("half_open", listener.half_open);
  finding.evidence.emplace_back("new_cookies", delta.growth(metric::cookies_sent));
  finding.summary =
      queue_name(listener) + " is full, " + places(listener) +
      ", and the SYN queue overflows into SYN cookies. Clients that received a cookie "
      "believe that they are connected, but the kernel drops their final ACK and "
      "they time out. The kernel also drops new SYNs." +
      waiting_text(listener);
  finding.action += " SYN cookies do not help while the accept queue is full.";
}

void describe_stuck(Finding& finding, const Listener& listener) {
  finding.rule = "listener_stuck";
  const bool is_certain =
      listener.waiting >= min_stuck_connections && *listener.oldest_seconds >= min_stuck_seconds;
  finding.severity = is_certain ? Severity::critical : Severity::warning;
  finding.summary = "The program accepts no connections: " + format_number(listener.waiting) +
                    (listener.waiting > 1 ? " wait" : " waits") + " in the accept queue" +
                    (listener.sockets > 1 ? "s" : "") + ", which ha" +
                    (listener.sockets > 1 ? "ve" : "s") + " room." + waiting_text(listener);
  finding.action =
      "Find out why the program does not call accept(): stopped, blocked, out of file descriptors, "
      "or without a free worker. A larger backlog does not help.";
}

/// Clients are assigned to the sockets by a hash, so the others cannot take them.
void describe_member_stuck(Finding& finding, const Listener& listener) {
  finding.rule = "reuseport_member_stuck";
  // A worker that serves one client after another lets a single one wait.
  const bool is_certain = listener.stalled_sockets_waiting.value_or(0) >= min_stuck_connections &&
                          *listener.oldest_seconds >= min_stuck_seconds;
  finding.severity = is_certain ? Severity::critical : Severity::warning;
  finding.summary = member_text(listener).substr(1) +
                    " The kernel assigns each client to one socket, usually by a hash: about " +
                    stalled_share(listener) + " clients wait, and no other worker takes them." +
                    waiting_text(listener);
  finding.action =
      "Find out why the worker does not call accept(). If you restart it, the kernel resets the "
      "connections that wait at its socket and assigns new clients to the others. `ss -ltnpe sport "
      "= :" +
      listener.endpoint.port + "` shows the process of each inode. A larger backlog does not help.";
}

/// The program works for clients that have gone, while others wait behind them.
void describe_abandoned(Finding& finding, const Listener& listener) {
  finding.rule = "abandoned_connections";
  finding.severity = Severity::warning;
  finding.summary = format_number(*listener.abandoned) + " of " + format_number(listener.waiting) +
                    " connections in the accept queue have already been closed by the client. "
                    "The program will accept them before those that still wait. "
                    "The oldest has waited for " +
                    format_duration(*listener.oldest_seconds) + ".";
  finding.action = std::string(find_cause) +
                   " A larger backlog makes it worse; a shorter one lets clients fail sooner.";
}

void describe_slow(Finding& finding, const Listener& listener) {
  if (listener.abandoned.value_or(0) >=
      std::max(min_abandoned, listener.waiting * min_abandoned_ratio)) {
    describe_abandoned(finding, listener);
    return;
  }
  finding.rule = "accept_queue_slow";
  finding.severity = Severity::warning;
  finding.summary =
      "Connections wait in the accept queue, which has room." + waiting_text(listener);
  finding.action = std::string(find_cause) + " A larger backlog does not help.";
}

/// Returns for how long the queue was full, as a sentence with a leading blank; empty if it was
/// not.
std::string full_text(const Listener& listener, const NamespaceDelta& delta) {
  const double seconds = full_seconds(listener, delta).value_or(0);
  return seconds > 0 ? " It was full for " + format_duration(seconds) + delta.over_interval() + "."
                     : "";
}

bool has_bursts(const Listener& listener, const NamespaceDelta& delta) {
  return listener.queue_backlog() >= min_queue_capacity &&
         listener.peak_fill.value_or(0) >= full_ratio &&
         full_seconds(listener, delta).value_or(0) >=
             std::max(min_full_seconds, delta.seconds * min_full_time_ratio);
}

/// A queue that is full only between the snapshots drops the next connection of a burst.
void describe_bursts(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  finding.rule = "accept_queue_bursts";
  finding.severity = Severity::warning;
  finding.metric =
      listener_series("inetdiag_listener_accept_queue_peak_fill_ratio", listener, delta);
  finding.summary =
      "The accept queue fills in bursts. It has room now." + full_text(listener, delta);
}

void describe_dropping(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  const double drops = new_listen_drops(listener, delta);
  const bool has_overflowed = delta.growth(metric::listen_overflows) != 0.0;
  const bool has_dropped_syns = !has_overflowed && delta.grew(metric::syns_dropped);
  finding.severity = severity_of_drops(drops, delta);
  finding.rule = has_dropped_syns ? "syns_dropped" : "listener_dropping";
  finding.summary = "The listener dropped " + format_number(drops) +
                    (has_dropped_syns ? " SYNs"
                     : drops > 1      ? " SYNs or final ACKs"
                                      : " SYN or final ACK") +
                    delta.over_interval();
  if (has_dropped_syns) {
    finding.summary += ": its SYN queue was full, and net.ipv4.tcp_syncookies is 0.";
    finding.action =
        "Set net.ipv4.tcp_syncookies to 1, or raise the backlog and net.ipv4.tcp_max_syn_backlog.";
  } else if (has_overflowed) {
    finding.summary +=
        ". Its accept queue has room now: it fills in bursts." + full_text(listener, delta);
  } else {
    finding.summary +=
        ", but no accept queue overflowed: its SYN queue was full (with "
        "net.ipv4.tcp_syncookies = 0), or memory was short.";
  }
  finding.metric = listener_series("inetdiag_listener_listen_drops_total", listener, delta);
}

/// A few clients at once fill a short queue for a moment.
bool is_nearly_full(const Listener& listener, const NamespaceDelta& delta) {
  const Listener* then = delta.previous(listener);
  const bool was_nearly_full = then != nullptr && then->fill >= nearly_full_ratio;
  return listener.fill >= nearly_full_ratio &&
         (was_nearly_full || listener.queue_backlog() >= min_queue_capacity);
}

void check_accept_queue(const Listener& listener, const NamespaceDelta& delta, Findings& findings) {
  Finding finding = accept_queue_finding(listener, delta);
  if (listener.fill >= full_ratio) {
    if (sends_cookies(listener, delta)) {
      describe_cookies_and_full(finding, listener, delta);
    } else {
      describe_full(finding, listener, delta);
    }
    add_cause(finding, listener, delta);
  } else if (listener.oldest_seconds.value_or(0) >= min_waiting_seconds) {
    if (accepts_nothing(listener, delta) && has_other_sockets(listener)) {
      describe_member_stuck(finding, listener);
    } else if (accepts_nothing(listener, delta)) {
      describe_stuck(finding, listener);
    } else {
      describe_slow(finding, listener);
    }
    finding.limit.clear();
    finding.action += find_owner(listener);
    finding.metric =
        listener_series("inetdiag_listener_accept_queue_oldest_seconds", listener, delta);
    add_cause(finding, listener, delta);
  } else if (new_listen_drops(listener, delta) > 0 && !drops_syns(listener, delta)) {
    describe_dropping(finding, listener, delta);
  } else if (has_bursts(listener, delta)) {
    describe_bursts(finding, listener, delta);
  } else if (is_nearly_full(listener, delta)) {
    finding.severity = Severity::warning;
    finding.rule = "accept_queue_nearly_full";
    finding.summary = queue_name(listener) + " is nearly full: " + places(listener) + ".";
  } else {
    return;
  }
  if (listener.fill >= nearly_full_ratio || accepts_nothing(listener, delta)) {
    finding.action += find_peers(listener, "--waiting");
  }
  findings.push_back(std::move(finding));
}

/// Returns the listeners that may have dropped the packets that no listener dropped for certain:
/// `0.0.0.0:80 (up to 45)`.
std::string candidates(const NamespaceDelta& delta, double unexplained) {
  constexpr std::size_t max_named = 3;
  std::vector<std::pair<double, std::string>> found;
  for (const Listener& listener : delta.now.listeners) {
    const double possible =
        std::min(unexplained, delta.growth(listener, &Listener::socket_drops).value_or(0) -
                                  new_listen_drops(listener, delta));
    if (possible > 0) {
      found.emplace_back(possible, listener.endpoint.text());
    }
  }
  std::ranges::stable_sort(found, std::greater<>(), [](const auto& entry) { return entry.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(found.size(), max_named); ++i) {
    text +=
        (i == 0 ? "" : ", ") + found[i].second + " (up to " + format_number(found[i].first) + ")";
  }
  return found.size() <= max_named
             ? text
             : text + " and " + format_number(static_cast<double>(found.size() - max_named)) +
                   " more";
}

}  // namespace

void accept_queues(const NamespaceDelta& delta, Findings& findings) {
  for (const Listener& listener : delta.now.listeners) {
    check_accept_queue(listener, delta, findings);
  }
}

void listen_drops(const NamespaceDelta& delta, Findings& findings) {
  const double all = delta.growth(metric::listen_drops).value_or(0);
  double unexplained = all;
  for (const Listener& listener : delta.now.listeners) {
    unexplained -= new_listen_drops(listener, delta);
  }
  // A full listener has a finding of its own. The counter and the sockets are not read at the same
  // moment.
  const bool is_explained = std::ranges::any_of(delta.now.listeners, [&](const Listener& listener) {
    return listener.fill >= full_ratio && may_have_dropped(listener, delta);
  });
  if (is_explained ||
      unexplained < std::max(min_unexplained_drops, all * min_unexplained_drops_ratio)) {
    return;
  }
  const std::string names = candidates(delta, unexplained);
  Finding finding = namespace_finding(delta);
  finding.severity = severity_of_drops(unexplained, delta);
  finding.rule = "listen_drops";
  finding.summary =
      "The kernel dropped " + format_number(unexplained) + " SYNs or final ACKs" +
      delta.over_interval() +
      (names.empty() ? " at a listener that has closed since, or whose drops are unknown."
                     : ". The counters do not show at which listener. Candidates: " + names + ".");
  finding.evidence = {{"new_listen_drops", delta.growth(metric::listen_drops)},
                      {"new_listen_overflows", delta.growth(metric::listen_overflows)}};
  finding.action =
      "Repeat the check: the listener is known once its queue is full, or if no other listener "
      "drops packets. `ss -ltn` shows the queues (Recv-Q), `nstat -z` the counters.";
  finding.metric = metric::listen_drops;
  finding.damage = {.per_second = delta.per_second(unexplained)};
  findings.push_back(std::move(finding));
}

void abort_on_overflow(const NamespaceDelta& delta, Findings& findings) {
  if (delta.now.value(metric::abort_on_overflow).value_or(0) <= 0 ||
      !delta.grew(metric::listen_overflows)) {
    return;
  }
  Finding finding = namespace_finding(delta);
  finding.severity = Severity::warning;
  finding.rule = "abort_on_overflow";
  finding.summary =
      "An accept queue overflowed and net.ipv4.tcp_abort_on_overflow is 1: a client whose final "
      "ACK finds the queue full gets a reset instead of another chance. SYNs are still dropped.";
  finding.evidence = {{"new_listen_overflows", delta.growth(metric::listen_overflows)}};
  finding.limit = "net.ipv4.tcp_abort_on_overflow";
  finding.action =
      "Set net.ipv4.tcp_abort_on_overflow to 0, unless clients handle a quick error better than a "
      "delay.";
  finding.metric = metric::abort_on_overflow;
  findings.push_back(std::move(finding));
}

}  // namespace inetdiag::diagnosis
