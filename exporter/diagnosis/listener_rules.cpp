// Rules on the queues of TCP listeners. Sources: net/ipv4/tcp_input.c (tcp_conn_request),
// net/ipv4/tcp_ipv4.c (tcp_v4_syn_recv_sock), include/net/sock.h (sk_acceptq_is_full).
#include <algorithm>
#include <cstddef>
#include <numeric>
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

constexpr double cookies_when_full = 1;
constexpr double cookies_always = 2;

std::map<std::string, std::string> identity(const Listener& listener, const std::string& netns) {
  std::map<std::string, std::string> labels = {{"address", listener.endpoint.address},
                                               {"port", listener.endpoint.port}};
  if (!listener.endpoint.device.empty()) {
    labels.emplace("device", listener.endpoint.device);
  }
  if (!netns.empty()) {
    labels.emplace("netns", netns);
  }
  return labels;
}

Affected affected(const Listener& listener, const std::string& netns) {
  Affected affected{
      .kind = "listener", .name = listener.endpoint.text(), .labels = identity(listener, netns)};
  const std::string owner = listener.owner.text();
  if (!owner.empty()) {
    affected.name += " (" + owner + ")";
  }
  const auto note = [&](const char* label, const std::string& value) {
    if (!value.empty()) {
      affected.labels.emplace(label, value);
    }
  };
  note("unit", listener.owner.unit);
  note("cgroup", listener.owner.cgroup);
  note("pod_uid", listener.owner.pod_uid);
  note("container_id", listener.owner.container_id);
  return affected;
}

bool has_cookies(const NamespaceDelta& look) {
  return look.now.value(metric::syncookies) == cookies_when_full;
}

/// Kernels before 2025 let the SYN queue hold one entry less than the accept queue: its length is
/// held against the backlog itself.
bool is_syn_queue_full(const Listener& listener, const NamespaceDelta& look) {
  const double half_open = listener.half_open.value_or(0);
  if (half_open <= 0 || look.now.value(metric::syncookies) == cookies_always) {
    return false;
  }
  const double max_syn_backlog = look.now.value(metric::max_syn_backlog).value_or(0);
  const bool is_refusing = look.now.value(metric::syncookies) == 0.0 && max_syn_backlog > 0 &&
                           half_open >= max_syn_backlog * syn_backlog_share;
  return is_refusing || half_open >= listener.backlog || listener.syn_fill.value_or(0) >= full;
}

bool is_full(const Listener& listener) { return listener.fill >= full; }

/// The counter is of the whole namespace: some listener sends cookies now.
bool is_sending_cookies(const NamespaceDelta& look) {
  return has_cookies(look) && look.grew(metric::cookies_sent);
}

bool is_full_with_cookies(const Listener& listener, const NamespaceDelta& look) {
  const bool is_own_queue_full =
      is_syn_queue_full(listener, look) ||
      (is_sending_cookies(look) && listener.syn_fill.value_or(0) >= nearly_full);
  return is_full(listener) && has_cookies(look) && is_own_queue_full;
}

/// Whether it drops for its SYN queue, not for its accept queue.
bool drops_syns(const Listener& listener, const NamespaceDelta& look) {
  return look.now.value(metric::syncookies) == 0.0 && is_syn_queue_full(listener, look);
}

constexpr const char* why_slow =
    "See why the program does not call accept(): stuck, overloaded, too few workers. ";

/// Of several sockets, one alone can be full: the kernel chooses among them by a hash.
std::string which_queue(const Listener& listener) {
  return listener.sockets > 1 && !listener.endpoint.is_folded()
             ? "The accept queue of one of its " + number_text(listener.sockets) + " sockets"
             : "The accept queue";
}

void tell_dropping(Finding& finding, const NamespaceDelta& look, const std::string& raise) {
  finding.severity = Severity::critical;
  finding.rule = "listener_dropping";
  if (look.grew(metric::listen_overflows)) {
    finding.summary =
        "The listener drops connections now, though its accept queue has room at this moment: it "
        "fills in bursts.";
    finding.action = std::string(why_slow) + "For bursts, " + raise + ".";
  } else {
    finding.summary =
        "The listener drops SYNs or final ACKs now, though its accept queue has room at this "
        "moment.";
    finding.action =
        "See which counter grows (`nstat -z`): TcpExtListenOverflows for a full accept queue, "
        "TcpExtTCPReqQFullDrop for a full SYN queue, else a lack of memory, a checksum or a "
        "policy. "
        "For a full queue, " +
        raise + ".";
  }
}

void tell_dropped(Finding& finding, bool is_known_quiet, const std::string& raise) {
  finding.severity = Severity::notice;
  finding.rule = "listener_dropped";
  finding.summary = is_known_quiet
                        ? "The listener dropped connections before, not now."
                        : "The listener dropped connections since it began to listen; whether it "
                          "still does shows at the next look.";
  finding.action = "If the number grows, " + raise + ".";
}

void check_accept_queue(const Listener& listener, const NamespaceDelta& look, Findings& findings) {
  const auto somaxconn = look.now.value(metric::somaxconn);
  const auto growth = look.drops_growth(listener, &Namespace::listeners, &Listener::endpoint);
  const std::string raise = how_to_raise(listener, somaxconn);
  const auto labels = identity(listener, look.netns);
  Finding finding{.affected = affected(listener, look.netns),
                  .evidence = {{"waiting", listener.waiting},
                               {"backlog", listener.backlog},
                               {"drops", listener.drops},
                               {"new_drops", growth}},
                  .limit = limit_text(listener, somaxconn),
                  .metric = selector("inetdiag_listener_accept_queue_fill_ratio", labels)};
  if (listener.sockets > 1) {
    finding.evidence.emplace_back("sockets", listener.sockets);
    finding.evidence.emplace_back("fullest_ratio", listener.fill);
  }
  if (is_full_with_cookies(listener, look)) {
    finding.severity = Severity::critical;
    finding.rule = "cookies_and_full_accept_queue";
    finding.evidence.emplace_back("half_open", listener.half_open);
    finding.evidence.emplace_back("new_cookies", look.growth(metric::cookies_sent));
    finding.summary = which_queue(listener) +
                      " is full, and the SYN queue fell to SYN cookies: clients that got a cookie "
                      "believe that they are connected, their final ACK is dropped, and they time "
                      "out. New SYNs are dropped, too.";
    finding.action = why_slow + ("For a longer queue, " + raise) +
                     ". Cookies do not help: the accept queue must get room.";
  } else if (is_full(listener)) {
    finding.severity = Severity::critical;
    finding.rule = "accept_queue_full";
    finding.summary = which_queue(listener) + " is full: the kernel drops new connections.";
    finding.action = why_slow + ("For a longer queue, " + raise) + ".";
  } else if (growth.value_or(0) > 0 && !drops_syns(listener, look)) {
    tell_dropping(finding, look, raise);
    finding.metric = selector("inetdiag_listener_drops_total", labels);
  } else if (listener.fill >= nearly_full) {
    finding.severity = Severity::warning;
    finding.rule = "accept_queue_nearly_full";
    finding.summary = which_queue(listener) + " is nearly full.";
    finding.action = why_slow + ("For a longer queue, " + raise) + ".";
  } else if (listener.drops.value_or(0) > 0 && !is_syn_queue_full(listener, look)) {
    tell_dropped(finding, growth.has_value(), raise);
    finding.metric = selector("inetdiag_listener_drops_total", labels);
  } else {
    return;
  }
  findings.push_back(std::move(finding));
}

void tell_dropped_syns(Finding& finding, const NamespaceDelta& look) {
  finding.severity = Severity::critical;
  finding.summary = "The SYN queue is full and tcp_syncookies is 0: SYNs are dropped.";
  finding.evidence.emplace_back("new_syns_dropped", look.growth(metric::syns_dropped));
  if (const auto most = look.now.value(metric::max_syn_backlog)) {
    finding.evidence.emplace_back("max_syn_backlog", most);
    finding.limit += "; and net.ipv4.tcp_max_syn_backlog, " + number_text(*most) +
                     ": from three quarters of it unknown peers are refused";
  }
  finding.action +=
      " Set net.ipv4.tcp_syncookies to 1, or raise net.ipv4.tcp_max_syn_backlog, which "
      "matters only while it is 0.";
}

void check_syn_queue(const Listener& listener, const NamespaceDelta& look, Findings& findings) {
  if (!is_syn_queue_full(listener, look) || is_full_with_cookies(listener, look)) {
    return;
  }
  const auto somaxconn = look.now.value(metric::somaxconn);
  Finding finding{
      .severity = Severity::warning,
      .rule = "syn_queue_full",
      .affected = affected(listener, look.netns),
      .evidence = {{"half_open", listener.half_open},
                   {"backlog", listener.backlog},
                   {"drops", listener.drops},
                   {"new_drops",
                    look.drops_growth(listener, &Namespace::listeners, &Listener::endpoint)}},
      .limit = limit_text(listener, somaxconn),
      .action =
          "Look whom the SYNs come from (`ss -tn state syn-recv`): a flood, or clients whose "
          "answers get lost. For a longer queue, " +
          how_to_raise(listener, somaxconn) + ".",
      .metric = selector("inetdiag_listener_syn_queue_fill_ratio", identity(listener, look.netns))};
  if (has_cookies(look)) {
    finding.summary = "The SYN queue is full: the kernel answers new SYNs with cookies.";
    finding.evidence.emplace_back("new_cookies", look.growth(metric::cookies_sent));
    finding.action += " tcp_max_syn_backlog does not matter while tcp_syncookies is 1.";
  } else if (look.now.value(metric::syncookies)) {
    tell_dropped_syns(finding, look);
  } else {
    finding.summary =
        "The SYN queue is full: the kernel sends cookies, or drops SYNs where "
        "tcp_syncookies is 0, which could not be read.";
  }
  findings.push_back(std::move(finding));
}

Finding namespace_finding(const NamespaceDelta& look) {
  return {.affected = {.kind = "namespace",
                       .name = place(look.netns, look.now.pod),
                       .labels = look.netns.empty()
                                     ? std::map<std::string, std::string>()
                                     : std::map<std::string, std::string>{{"netns", look.netns}}}};
}

bool is_known(const Finding& finding) {
  return finding.rule == "syn_queue_full" || finding.rule == "cookies_and_full_accept_queue";
}

/// What the counters tell where no queue is full at the very moment of the look.
void check_syn_counters(const NamespaceDelta& look, Findings& findings) {
  const auto cookies = look.now.value(metric::syncookies);
  Finding finding = namespace_finding(look);
  if (cookies == cookies_always) {
    finding.severity = Severity::notice;
    finding.rule = "syn_cookies_always";
    finding.summary =
        "SYN cookies are sent for every SYN, because net.ipv4.tcp_syncookies is 2: "
        "the counters of cookies say nothing about full queues.";
    finding.action =
        "Set net.ipv4.tcp_syncookies to 1, unless this is a test: cookies lose TCP "
        "options.";
    finding.metric = metric::syncookies;
  } else if (look.grew(metric::syns_dropped)) {
    finding.severity = Severity::critical;
    finding.rule = "syns_dropped";
    finding.summary = "SYNs are dropped because a SYN queue is full and tcp_syncookies is 0.";
    finding.evidence = {{"new_syns_dropped", look.growth(metric::syns_dropped)}};
    finding.action =
        "Set net.ipv4.tcp_syncookies to 1, or raise the backlog of the listener and "
        "net.ipv4.tcp_max_syn_backlog.";
    finding.metric = metric::syns_dropped;
  } else if (is_sending_cookies(look)) {
    finding.severity = Severity::warning;
    finding.rule = "syn_cookies_sent";
    finding.summary = "SYN cookies are sent: a SYN queue fills in bursts.";
    finding.evidence = {{"new_cookies", look.growth(metric::cookies_sent)}};
    finding.action =
        "Look which listener has the most half-open connections, and whom they come "
        "from (`ss -tn state syn-recv`).";
    finding.metric = metric::cookies_sent;
  } else {
    return;
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void accept_queues(const NamespaceDelta& look, Findings& findings) {
  for (const Listener& listener : look.now.listeners) {
    check_accept_queue(listener, look, findings);
  }
}

void syn_queues(const NamespaceDelta& look, Findings& findings) {
  for (const Listener& listener : look.now.listeners) {
    check_syn_queue(listener, look, findings);
  }
  if (std::ranges::none_of(findings, is_known)) {
    check_syn_counters(look, findings);
  }
}

void abort_on_overflow(const NamespaceDelta& look, Findings& findings) {
  if (look.now.value(metric::abort_on_overflow).value_or(0) <= 0) {
    return;
  }
  const bool acts = std::ranges::any_of(look.now.listeners, is_full);
  Finding finding = namespace_finding(look);
  finding.severity = acts ? Severity::warning : Severity::notice;
  finding.rule = "abort_on_overflow";
  finding.summary =
      acts ? "net.ipv4.tcp_abort_on_overflow is 1 and an accept queue is full: clients "
             "get a reset instead of a second chance."
           : "net.ipv4.tcp_abort_on_overflow is 1: a burst that fills an accept queue "
             "resets clients instead of letting them try again.";
  finding.limit = "net.ipv4.tcp_abort_on_overflow";
  finding.action =
      "Set net.ipv4.tcp_abort_on_overflow to 0, unless clients do better with a quick error.";
  finding.metric = metric::abort_on_overflow;
  findings.push_back(std::move(finding));
}

}  // namespace inetdiag::diagnosis
