// Rules on the queues of UDP and UNIX sockets. docs/diagnosis.md says what the numbers mean and
// what else moves them. Sources: net/ipv4/udp.c (__udp_enqueue_schedule_skb,
// udp_queue_rcv_one_skb), net/unix/af_unix.c (unix_stream_connect, unix_dgram_sendmsg), unix(7).
#include <algorithm>
#include <string>
#include <utility>

#include "exporter/diagnosis/listener_facts.h"
#include "exporter/diagnosis/metric_names.h"
#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

/// The memory of a small datagram on 64-bit kernels (SKB_TRUESIZE). A queue that holds less than
/// this for each of its places is not full.
constexpr double min_datagram_bytes = 768;

std::string named(const std::string& name, const Owner& owner, const NamespaceDelta& delta) {
  const std::string text = owner.text(delta.now.pod);
  return text.empty() ? name : name + " (" + text + ")";
}

LabelMap with_owner(LabelMap labels, const Owner& owner) {
  labels.merge(owner.labels());
  return labels;
}

/// Returns the growth of the drops of UDP sockets.
double udp_drops(const UdpSockets& sockets, const NamespaceDelta& delta) {
  const UdpSockets* then = delta.previous(sockets, &Namespace::udp, &UdpSockets::endpoint);
  return then == nullptr ? 0 : NamespaceDelta::difference(sockets.drops, then->drops).value_or(0);
}

/// The drops of UDP sockets in a network namespace.
struct UdpDrops {
  double of_sockets = 0;        ///< for any reason
  double for_full_buffers = 0;  ///< counted by the namespace

  explicit UdpDrops(const NamespaceDelta& delta) {
    for (const UdpSockets& sockets : delta.now.udp) {
      // Those of a new socket may all be new.
      of_sockets += delta.previous(sockets, &Namespace::udp, &UdpSockets::endpoint) == nullptr
                        ? sockets.drops.value_or(0)
                        : udp_drops(sockets, delta);
    }
    for (const std::string_view counter : metric::udp_buffer_errors) {
      for_full_buffers += delta.growth(counter).value_or(0);
    }
  }
};

/// Returns how many datagrams the sockets dropped for a full buffer: at most as many as the
/// namespace counted, and for certain only what other sockets cannot have dropped. A socket drops
/// datagrams also for a socket filter, a policy, or a wrong checksum.
double udp_buffer_drops(const UdpSockets& sockets, const NamespaceDelta& delta,
                        const UdpDrops& all) {
  const double own = udp_drops(sockets, delta);
  const double of_others = sockets.fill >= nearly_full_ratio ? 0 : all.of_sockets - own;
  return std::clamp(all.for_full_buffers - of_others, 0.0, own);
}

std::string buffer_figures(const UdpSockets& sockets) {
  return format_bytes(sockets.queue_bytes()) + " of " + format_bytes(sockets.buffer_bytes());
}

void check_udp(const UdpSockets& sockets, const NamespaceDelta& delta, const UdpDrops& all,
               Findings& findings) {
  const double drops = udp_buffer_drops(sockets, delta, all);
  const UdpSockets* then = delta.previous(sockets, &Namespace::udp, &UdpSockets::endpoint);
  const bool was_nearly_full = then == nullptr || then->fill >= nearly_full_ratio;
  if (drops <= 0 && (sockets.fill < nearly_full_ratio || !was_nearly_full)) {
    return;
  }
  const LabelMap labels = delta.with_netns(sockets.endpoint.labels());
  const std::string buffer =
      sockets.sockets > 1 ? "The fullest receive buffer" : "The receive buffer";
  Finding finding{
      .severity = Severity::warning,
      .affected = {.kind = "udp_socket",
                   .name = named("UDP " + sockets.endpoint.text(), sockets.owner, delta),
                   .labels = with_owner(labels, sockets.owner)},
      .evidence = {{"queued_bytes", sockets.queue_bytes()},
                   {"buffer_bytes", sockets.buffer_bytes()},
                   {"new_drops", delta.before == nullptr ? std::nullopt : std::optional(drops)}},
      .limit = "receive buffer (SO_RCVBUF) of " + format_bytes(sockets.buffer_bytes()),
      .action =
          "Find out why the program does not read fast enough. To absorb bursts, have it set "
          "a larger SO_RCVBUF (up to net.core.rmem_max), or raise net.core.rmem_default and "
          "restart it.",
      .metric = selector("inetdiag_udp_drops_total", labels),
      .damage = {.per_second = delta.per_second(drops), .share = sockets.fill}};
  if (sockets.owner.text().empty() && !sockets.endpoint.is_aggregated()) {
    finding.action += " `ss -lunp sport = :" + sockets.endpoint.port + "` names the program.";
  }
  if (drops > 0) {
    finding.severity = severity_of_drops(drops, delta);
    finding.rule = "udp_dropping";
    finding.summary = "The kernel dropped " + format_number(drops) +
                      (drops > 1 ? " datagrams" : " datagram") + delta.over_interval() +
                      ": the receive buffer was full. It holds " + buffer_figures(sockets) +
                      " now.";
  } else if (sockets.fill >= full_ratio) {
    finding.rule = "udp_buffer_full";
    finding.summary =
        buffer + " is full, " + buffer_figures(sockets) + ": the kernel drops the next datagram.";
  } else {
    finding.rule = "udp_buffer_nearly_full";
    finding.summary = buffer + " is nearly full: " + buffer_figures(sockets) + ".";
  }
  findings.push_back(std::move(finding));
}

std::string unix_limit(const UnixListener& listener, const NamespaceDelta& delta) {
  const double backlog = listener.queue_backlog();
  const auto somaxconn = delta.now.value(metric::somaxconn);
  if (somaxconn && backlog == *somaxconn) {
    return "net.core.somaxconn = " + format_number(backlog) +
           " (the program requested at least that)";
  }
  return "backlog " + format_number(backlog) +
         (somaxconn && backlog < *somaxconn
              ? ", set by the program, or by a net.core.somaxconn that was lower when it called "
                "listen() (now " +
                    format_number(*somaxconn) + ")"
              : "");
}

void check_unix_listener(const UnixListener& listener, const NamespaceDelta& delta,
                         Findings& findings) {
  const UnixListener* then =
      delta.previous(listener, &Namespace::unix_listeners, &UnixListener::path);
  const bool is_full = listener.fill >= full_ratio;
  const bool is_falling = then != nullptr && listener.waiting < then->waiting;
  const bool is_stuck = then != nullptr && !is_falling &&
                        std::min(listener.waiting, then->waiting) >= min_unix_waiting;
  if (listener.fill < nearly_full_ratio && !is_stuck) {
    return;
  }
  const bool was_full = then == nullptr || then->fill >= full_ratio;
  const double backlog = listener.queue_backlog();
  const std::string places = format_number(listener.queue_length()) + " of " +
                             format_number(backlog + 1) + " places (backlog " +
                             format_number(backlog) + ")";
  const LabelMap labels = delta.with_netns({{"path", listener.path}});
  Finding finding{
      .severity = is_full && was_full && backlog > 0 ? Severity::critical : Severity::warning,
      .affected = {.kind = "unix_listener",
                   .name = named("UNIX " + listener.path, listener.owner, delta),
                   .labels = with_owner(labels, listener.owner)},
      .evidence = {{"waiting", listener.queue_length()}, {"backlog", backlog}},
      .limit = unix_limit(listener, delta),
      .action =
          "Find out why the program does not call accept() fast enough: too few workers "
          "(php-fpm: pm.max_children), blocked, or overloaded (`ss -xlp` names it). Then raise "
          "its backlog (php-fpm: listen.backlog; gunicorn: --backlog).",
      .metric = selector("inetdiag_unix_listener_accept_queue_fill_ratio", labels),
      .damage = {.share = listener.fill}};
  if (is_full) {
    finding.rule = "unix_queue_full";
    finding.summary = "The accept queue of a UNIX socket is full, " + places +
                      ": connect() blocks or fails with EAGAIN, and no kernel counter records it.";
  } else if (listener.fill >= nearly_full_ratio) {
    finding.rule = "unix_queue_nearly_full";
    finding.summary = "The accept queue of a UNIX socket is nearly full: " + places + ".";
  } else {
    finding.rule = "unix_listener_stuck";
    finding.summary = format_number(listener.waiting) +
                      " connections wait for accept() at a UNIX socket, and their number has not "
                      "fallen" +
                      delta.over_interval() + ".";
    finding.limit.clear();
    finding.action =
        "Find out why the program does not call accept() (`ss -xlp` names it): stopped, blocked, "
        "or without a free worker. A larger backlog does not help.";
  }
  findings.push_back(std::move(finding));
}

void check_unix_receiver(const UnixReceiver& receiver, const NamespaceDelta& delta,
                         Findings& findings) {
  const UnixReceiver* then =
      delta.previous(receiver, &Namespace::unix_receivers, &UnixReceiver::path);
  const auto max_length = delta.now.value(metric::max_dgram_qlen);
  const double full_bytes = min_datagram_bytes * (max_length.value_or(0) + 1);
  if (then == nullptr || !max_length || std::min(receiver.unread, then->unread) <= 0 ||
      receiver.pending_bytes < then->pending_bytes ||
      receiver.pending_bytes < full_bytes * nearly_full_ratio) {
    return;
  }
  const LabelMap labels = delta.with_netns({{"path", receiver.path}});
  findings.push_back(
      {.severity = Severity::warning,
       .rule = "unix_datagrams_unread",
       .affected = {.kind = "unix_socket", .name = "UNIX " + receiver.path, .labels = labels},
       .summary = "The unread datagrams at a UNIX socket do not become fewer: those of connected "
                  "senders hold " +
                  format_bytes(receiver.pending_bytes) +
                  ", not less than in the previous snapshot. With a full queue, send() blocks or "
                  "fails with EAGAIN.",
       .evidence = {{"pending_bytes", receiver.pending_bytes}},
       .limit = max_length ? "net.unix.max_dgram_qlen, when the socket was created (now " +
                                 format_number(*max_length) + ")"
                           : "net.unix.max_dgram_qlen, when the socket was created",
       .action =
           "Find out why the program does not read (`ss -xap` names it): stopped, blocked, or "
           "overloaded. To absorb bursts, raise net.unix.max_dgram_qlen and restart it.",
       .metric = selector("inetdiag_unix_datagram_pending_bytes", labels),
       .damage = {.share = std::min(receiver.pending_bytes / full_bytes, 1.0)}});
}

}  // namespace

void udp_queues(const NamespaceDelta& delta, Findings& findings) {
  const UdpDrops all(delta);
  for (const UdpSockets& sockets : delta.now.udp) {
    check_udp(sockets, delta, all, findings);
  }
}

void unix_queues(const NamespaceDelta& delta, Findings& findings) {
  for (const UnixListener& listener : delta.now.unix_listeners) {
    check_unix_listener(listener, delta, findings);
  }
  for (const UnixReceiver& receiver : delta.now.unix_receivers) {
    check_unix_receiver(receiver, delta, findings);
  }
}

}  // namespace inetdiag::diagnosis
