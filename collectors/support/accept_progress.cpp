#include "collectors/support/accept_progress.h"

#include <algorithm>
#include <utility>

namespace inetdiag {

AcceptProgress::Sockets AcceptProgress::begin(std::span<const Socket> sockets,
                                              Clock::time_point now) {
  Sockets states;
  for (const Socket& socket : sockets) {
    states.emplace(socket.cookie, SocketState{socket.waiting, now});
  }
  return states;
}

std::optional<AcceptProgress::Stall> AcceptProgress::update(
    const kernel::Endpoint& endpoint, std::span<const Socket> sockets,
    const kernel::WaitingConnections& connections, const AcceptQueueHistory* history,
    Clock::time_point now) {
  Sockets& states = next_[endpoint] = begin(sockets, now);
  const auto queue = queues_.find(endpoint);
  if (queue == queues_.end() || !read_at_) {
    return std::nullopt;
  }
  const Sockets& before = queue->second;

  // The kernel does not show at which of several sockets a connection waits. At most so many old
  // ones are at each.
  std::unordered_map<std::uint64_t, std::uint64_t> most_old;
  std::uint64_t most_old_at_all = 0;
  std::uint64_t waiting = 0;
  for (const Socket& socket : sockets) {
    waiting += socket.waiting;
    const auto state = before.find(socket.cookie);
    const bool was_empty = history != nullptr && history->was_empty(socket.cookie, *read_at_);
    if (state != before.end() && !was_empty) {
      most_old[socket.cookie] = std::min(state->second.waiting, socket.waiting);
      most_old_at_all += most_old[socket.cookie];
    }
  }

  // A connection that the client has reset waits too, but is in no dump. Neither is one that was
  // accepted before the dump.
  const std::uint64_t reset = waiting - std::min(waiting, connections.count);
  Stall stall;
  for (const Socket& socket : sockets) {
    const auto most = most_old.find(socket.cookie);
    if (connections.old == 0 || most == most_old.end()) {
      continue;
    }
    const SocketState& then = before.at(socket.cookie);
    const bool has_fallen = history != nullptr && history->has_fallen(socket.cookie, *read_at_);
    const std::uint64_t at_others = most_old_at_all - most->second;
    if (!has_fallen && connections.old + reset >= then.waiting + at_others) {
      states.at(socket.cookie).stalled_since = then.stalled_since;
      stall.longest =
          std::max<std::chrono::duration<double>>(stall.longest, now - then.stalled_since);
      stall.inodes.push_back(socket.inode);
    }
  }
  return stall;
}

void AcceptProgress::keep(const kernel::Endpoint& endpoint, std::span<const Socket> sockets,
                          Clock::time_point now) {
  const auto queue = queues_.find(endpoint);
  next_[endpoint] = queue == queues_.end() ? begin(sockets, now) : std::move(queue->second);
}

void AcceptProgress::end_round(bool is_read, Clock::time_point now) {
  queues_ = std::exchange(next_, {});
  if (is_read || !read_at_) {
    read_at_ = now;
  }
}

}  // namespace inetdiag
