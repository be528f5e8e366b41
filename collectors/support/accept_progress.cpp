#include "collectors/support/accept_progress.h"

#include <algorithm>
#include <utility>

namespace inetdiag {

AcceptProgress::Queue AcceptProgress::begin(std::span<const Socket> sockets,
                                            Clock::time_point now) {
  Queue queue;
  for (const Socket& socket : sockets) {
    queue.sockets.emplace(socket.cookie, SocketState{socket.waiting, now});
  }
  return queue;
}

std::set<std::uint64_t> AcceptProgress::oldest_cookies() const {
  std::set<std::uint64_t> cookies;
  for (const auto& [endpoint, queue] : queues_) {
    if (queue.oldest_cookie != 0) {
      cookies.insert(queue.oldest_cookie);
    }
  }
  return cookies;
}

void AcceptProgress::add_stall(Stall& stall, const Socket& socket, Queue& queue,
                               const SocketState& before, Clock::time_point now) {
  queue.sockets.at(socket.cookie).stalled_since = before.stalled_since;
  stall.longest =
      std::max<std::chrono::duration<double>>(stall.longest, now - before.stalled_since);
  stall.inodes.push_back(socket.inode);
  stall.waiting += socket.waiting;
}

std::optional<AcceptProgress::Stall> AcceptProgress::update(
    const kernel::Endpoint& endpoint, std::span<const Socket> sockets,
    const kernel::WaitingConnections& connections, const AcceptQueueHistory* history,
    Clock::time_point now) {
  Queue& queue = next_[endpoint] = begin(sockets, now);
  std::uint64_t waiting = 0;
  for (const Socket& socket : sockets) {
    waiting += socket.waiting;
  }
  // A connection that the client has reset waits too, but is in no dump. Neither is one that was
  // accepted before the dump. Without a connection, nobody may have read them.
  queue.reset = connections.count == 0 ? 0 : waiting - std::min(waiting, connections.count);
  queue.oldest_cookie = connections.oldest_cookie;
  const auto found = queues_.find(endpoint);
  if (found == queues_.end() || !read_at_) {
    return std::nullopt;
  }
  const Queue& before = found->second;

  // At most so many old connections are at each socket.
  std::unordered_map<std::uint64_t, std::uint64_t> most_old;
  std::uint64_t most_old_at_all = 0;
  for (const Socket& socket : sockets) {
    const auto state = before.sockets.find(socket.cookie);
    const bool was_empty = history != nullptr && history->was_empty(socket.cookie, *read_at_);
    if (state != before.sockets.end() && !was_empty) {
      most_old[socket.cookie] = std::min(state->second.waiting, socket.waiting);
      most_old_at_all += most_old[socket.cookie];
    }
  }

  // Those that were reset meanwhile can have been new: they are no evidence.
  const std::uint64_t old = connections.old + std::min(queue.reset, before.reset);
  Stall stall;
  for (const Socket& socket : sockets) {
    const auto most = most_old.find(socket.cookie);
    if (most == most_old.end() ||
        (history != nullptr && history->has_fallen(socket.cookie, *read_at_))) {
      continue;
    }
    const SocketState& then = before.sockets.at(socket.cookie);
    const bool is_only_one = sockets.size() == 1 && before.sockets.size() == 1;
    // Before the oldest there were only those that had been reset.
    const bool has_same_oldest =
        is_only_one && connections.watched > 0 && queue.reset >= before.reset;
    const bool has_all_old =
        connections.old > 0 && old >= then.waiting + (most_old_at_all - most->second);
    if (has_same_oldest || has_all_old) {
      add_stall(stall, socket, queue, then, now);
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
