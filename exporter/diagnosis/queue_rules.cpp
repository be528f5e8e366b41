// Rules on the queues of UDP and UNIX sockets. Sources: net/ipv4/udp.c
// (__udp_enqueue_schedule_skb), net/unix/af_unix.c (unix_stream_connect), unix(7).
#include <algorithm>
#include <string>
#include <utility>

#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

void note_netns(Affected& affected, const NamespaceDelta& look) {
  if (!look.netns.empty()) {
    affected.labels.emplace("netns", look.netns);
  }
}

Affected affected_by(const UdpSockets& sockets, const NamespaceDelta& look) {
  Affected affected{
      .kind = "udp_socket",
      .name = "UDP " + sockets.endpoint.text(),
      .labels = {{"address", sockets.endpoint.address}, {"port", sockets.endpoint.port}}};
  if (!sockets.endpoint.device.empty()) {
    affected.labels.emplace("device", sockets.endpoint.device);
  }
  note_netns(affected, look);
  return affected;
}

}  // namespace

void udp_queues(const NamespaceDelta& look, Findings& findings) {
  for (const UdpSockets& sockets : look.now.udp) {
    const auto growth = look.drops_growth(sockets, &Namespace::udp, &UdpSockets::endpoint);
    const bool is_full = sockets.fill >= full;
    const bool is_dropping = growth.value_or(0) > 0;
    const bool is_nearly_full = sockets.fill >= nearly_full;
    const double drops = sockets.drops.value_or(0);
    if (!is_nearly_full && drops <= 0) {
      continue;
    }
    Finding finding{
        .affected = affected_by(sockets, look),
        .evidence = {{"queued_bytes", sockets.queued_bytes},
                     {"buffer_bytes", sockets.limit_bytes},
                     {"drops", drops},
                     {"new_drops", growth}},
        .limit = "the receive buffer of the socket (SO_RCVBUF), " + bytes_text(sockets.limit_bytes),
        .action =
            "See why the program does not read fast enough. For bursts, have it ask for a "
            "larger SO_RCVBUF, up to net.core.rmem_max, or raise net.core.rmem_default and "
            "restart it.",
        .metric = {}};
    finding.metric = selector("inetdiag_udp_drops_total", finding.affected.labels);
    if (is_full || is_dropping) {
      finding.severity = Severity::critical;
      finding.rule = is_dropping ? "udp_dropping" : "udp_buffer_full";
      finding.summary = is_dropping
                            ? "Datagrams are dropped now: the receive buffer is too small or "
                              "the program too slow."
                            : "The receive buffer is full: datagrams are dropped.";
    } else if (is_nearly_full) {
      finding.severity = Severity::warning;
      finding.rule = "udp_buffer_nearly_full";
      finding.summary =
          "The receive buffer is nearly full, or full: a datagram larger than what is left is "
          "dropped.";
    } else {
      finding.severity = Severity::notice;
      finding.rule = "udp_dropped";
      finding.summary = growth ? "Datagrams were dropped before, not now."
                               : "Datagrams were dropped since the socket was made; whether they "
                                 "still are shows at the next look.";
    }
    findings.push_back(std::move(finding));
  }
}

void unix_queues(const NamespaceDelta& look, Findings& findings) {
  for (const UnixListener& listener : look.now.unix_listeners) {
    if (listener.fill < nearly_full) {
      continue;
    }
    const bool is_full = listener.fill >= full;
    Affected affected{.kind = "unix_listener",
                      .name = "UNIX " + listener.path,
                      .labels = {{"path", listener.path}}};
    note_netns(affected, look);
    const std::map<std::string, std::string> labels = affected.labels;
    findings.push_back(
        {.severity = is_full ? Severity::critical : Severity::warning,
         .rule = is_full ? "unix_queue_full" : "unix_queue_nearly_full",
         .affected = std::move(affected),
         .summary = is_full
                        ? "The accept queue of a UNIX socket is full: connect() waits, or fails "
                          "with EAGAIN, and nothing counts it."
                        : "The accept queue of a UNIX socket is nearly full.",
         .evidence = {{"waiting", listener.waiting}, {"backlog", listener.backlog}},
         .limit = "a backlog of " + number_text(listener.backlog) +
                  ": what the program asked for, or net.core.somaxconn when it listened",
         .action = "See why the program does not call accept(): too few workers (php-fpm: "
                   "pm.max_children), stuck, overloaded. Then raise its backlog (php-fpm: "
                   "listen.backlog; gunicorn: --backlog).",
         .metric = selector("inetdiag_unix_listener_accept_queue_fill_ratio", labels)});
  }
}

}  // namespace inetdiag::diagnosis
