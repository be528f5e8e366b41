// Rules on the queues of UDP and UNIX sockets. Sources: net/ipv4/udp.c
// (__udp_enqueue_schedule_skb), net/unix/af_unix.c (unix_stream_connect), unix(7).
#include <string>
#include <utility>

#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/rules.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {

void udp_queues(const NamespaceDelta& delta, Findings& findings) {
  for (const UdpSockets& sockets : delta.now.udp) {
    const auto growth = delta.drops_growth(sockets, &Namespace::udp, &UdpSockets::endpoint);
    const bool is_dropping = growth.value_or(0) > 0;
    const bool is_nearly_full = sockets.fill >= nearly_full_ratio;
    const double drops = sockets.drops.value_or(0);
    if (!is_nearly_full && drops <= 0) {
      continue;
    }
    const LabelMap labels = delta.with_netns(sockets.endpoint.labels());
    Finding finding{
        .affected = {.kind = "udp_socket",
                     .name = "UDP " + sockets.endpoint.text(),
                     .labels = labels},
        .evidence = {{"queued_bytes", sockets.queued_bytes},
                     {"buffer_bytes", sockets.limit_bytes},
                     {"drops", drops},
                     {"new_drops", growth}},
        .limit = "receive buffer (SO_RCVBUF) of " + format_bytes(sockets.limit_bytes),
        .action =
            "Find out why the program does not read fast enough. To absorb bursts, have it set a "
            "larger SO_RCVBUF (up to net.core.rmem_max), or raise net.core.rmem_default and "
            "restart it.",
        .metric = selector("inetdiag_udp_drops_total", labels)};
    if (is_dropping) {
      finding.severity = Severity::critical;
      finding.rule = "udp_dropping";
      finding.summary =
          "The kernel is dropping datagrams: the receive buffer is too small or the program too "
          "slow.";
    } else if (sockets.fill >= full_ratio) {
      finding.severity = Severity::critical;
      finding.rule = "udp_buffer_full";
      finding.summary = "The receive buffer is full: the kernel drops datagrams.";
    } else if (is_nearly_full) {
      finding.severity = Severity::warning;
      finding.rule = "udp_buffer_nearly_full";
      finding.summary =
          "The receive buffer is nearly full: the kernel drops datagrams larger than the remaining "
          "space.";
    } else {
      finding.severity = Severity::notice;
      finding.rule = "udp_dropped";
      finding.summary = growth
                            ? "The kernel dropped datagrams in the past, but not since the "
                              "previous snapshot."
                            : "The kernel has dropped datagrams since the socket was created. The "
                              "next snapshot shows whether it still does.";
    }
    findings.push_back(std::move(finding));
  }
}

void unix_queues(const NamespaceDelta& delta, Findings& findings) {
  for (const UnixListener& listener : delta.now.unix_listeners) {
    if (listener.fill < nearly_full_ratio) {
      continue;
    }
    const bool is_full = listener.fill >= full_ratio;
    const LabelMap labels = delta.with_netns({{"path", listener.path}});
    findings.push_back(
        {.severity = is_full ? Severity::critical : Severity::warning,
         .rule = is_full ? "unix_queue_full" : "unix_queue_nearly_full",
         .affected = {.kind = "unix_listener", .name = "UNIX " + listener.path, .labels = labels},
         .summary = is_full
                        ? "The accept queue of a UNIX socket is full: connect() blocks or fails "
                          "with EAGAIN, and no kernel counter records it."
                        : "The accept queue of a UNIX socket is nearly full.",
         .evidence = {{"waiting", listener.waiting}, {"backlog", listener.backlog}},
         .limit = "backlog " + format_number(listener.backlog) +
                  ", set by the program or by net.core.somaxconn when it called listen()",
         .action = "Find out why the program does not call accept() fast enough: too few workers "
                   "(php-fpm: pm.max_children), blocked, or overloaded. Then raise its backlog "
                   "(php-fpm: listen.backlog; gunicorn: --backlog).",
         .metric = selector("inetdiag_unix_listener_accept_queue_fill_ratio", labels)});
  }
}

}  // namespace inetdiag::diagnosis
