#include "exporter/diagnosis/queue_fill.h"

#include <cmath>
#include <utility>

#include "exporter/diagnosis/number_format.h"

namespace inetdiag::diagnosis {
namespace {

void add_listener_queues(std::vector<QueueFill>& queues, const ListenerRow& row) {
  const Listener& listener = row.listener;
  QueueFill queue{
      .key = {.kind = QueueKind::accept,
              .netns = row.netns,
              .name = row.aggregated > 0 ? format_number(row.aggregated) + " other listeners"
                                         : listener.endpoint.text()},
      .pod = row.pod,
      .owner = listener.owner.text(row.pod),
      .used = listener.queue_length(),
      .limit = listener.queue_backlog() + 1,
      .ratio = listener.fill};
  queues.push_back(queue);
  if (!listener.syn_fill) {
    return;
  }
  queue.key.kind = QueueKind::syn;
  queue.used = listener.half_open.value_or(0);
  queue.limit = *listener.syn_fill > 0 ? std::round(queue.used / *listener.syn_fill)
                                       : listener.backlog + listener.sockets;
  queue.ratio = *listener.syn_fill;
  queues.push_back(std::move(queue));
}

void add_other_queues(std::vector<QueueFill>& queues, const std::string& netns,
                      const Namespace& current) {
  for (const UdpSockets& sockets : current.udp) {
    queues.push_back(
        {.key = {.kind = QueueKind::udp, .netns = netns, .name = sockets.endpoint.text()},
         .pod = current.pod,
         .owner = sockets.owner.text(current.pod),
         .used = sockets.queue_bytes(),
         .limit = sockets.buffer_bytes(),
         .ratio = sockets.fill,
         .is_bytes = true});
  }
  for (const UnixListener& listener : current.unix_listeners) {
    queues.push_back(
        {.key = {.kind = QueueKind::unix_accept, .netns = netns, .name = listener.path},
         .pod = current.pod,
         .owner = listener.owner.text(),
         .used = listener.queue_length(),
         .limit = listener.queue_backlog() + 1,
         .ratio = listener.fill});
  }
}

}  // namespace

std::vector<QueueFill> queue_fills(const Status& status, const Snapshot& snapshot) {
  std::vector<QueueFill> queues;
  for (const ListenerRow& row : status.listeners) {
    add_listener_queues(queues, row);
  }
  for (const auto& [netns, current] : snapshot.namespaces) {
    add_other_queues(queues, netns, current);
  }
  return queues;
}

}  // namespace inetdiag::diagnosis
