#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/support/accept_queue_history.h"

namespace inetdiag {

/// Finds the sockets whose waiting connections nobody accepts, by comparing two scrapes. accept()
/// takes the oldest connection first (inet_csk_accept): a queue whose oldest connection still waits
/// has not been taken from. The kernel does not show at which of several sockets a connection
/// waits. There, none was accepted if as many are older than the previous scrape as waited then.
class AcceptProgress {
 public:
  using Clock = AcceptQueueHistory::Clock;

  /// A socket at which connections wait.
  struct Socket {
    std::uint64_t cookie;
    std::uint32_t inode;
    std::uint64_t waiting;
  };

  struct Stall {
    std::chrono::duration<double> longest{0};  ///< of all sockets, as far as scrapes show
    std::vector<std::uint32_t> inodes;         ///< of the sockets that accepted nothing
    std::uint64_t waiting = 0;                 ///< connections at these sockets
  };

  /// Returns when the connections were last read; absent before the first scrape.
  std::optional<Clock::time_point> read_at() const { return read_at_; }

  /// Returns whether connections waited at the endpoint in the previous scrape.
  bool has_waited(const kernel::Endpoint& endpoint) const { return queues_.contains(endpoint); }

  /// Returns the oldest connection of each endpoint in the previous scrape.
  std::set<std::uint64_t> oldest_cookies() const;

  /// Compares the sockets of one endpoint with those of the previous scrape. `old` of the
  /// connections must be those from before read_at(), `watched` those of oldest_cookies().
  /// `history`, which may be null, excludes sockets whose queue was empty or shorter in between.
  /// Returns nothing if connections did not wait in the previous scrape.
  std::optional<Stall> update(const kernel::Endpoint& endpoint, std::span<const Socket> sockets,
                              const kernel::WaitingConnections& connections,
                              const AcceptQueueHistory* history, Clock::time_point now);

  /// For an endpoint whose connections were not read: they prove nothing. The next scrape is
  /// compared with the last one in which they were, if any.
  void keep(const kernel::Endpoint& endpoint, std::span<const Socket> sockets,
            Clock::time_point now);

  /// Forgets the endpoints without update() and keep().
  void end_round(bool is_read, Clock::time_point now);

 private:
  struct SocketState {
    std::uint64_t waiting = 0;
    Clock::time_point stalled_since;
  };
  struct Queue {
    std::unordered_map<std::uint64_t, SocketState> sockets;  ///< by cookie
    std::uint64_t reset = 0;          ///< connections in the queues that are in no dump
    std::uint64_t oldest_cookie = 0;  ///< 0: unknown
  };

  static Queue begin(std::span<const Socket> sockets, Clock::time_point now);
  static void add_stall(Stall& stall, const Socket& socket, Queue& queue, const SocketState& before,
                        Clock::time_point now);

  std::map<kernel::Endpoint, Queue> queues_;
  std::map<kernel::Endpoint, Queue> next_;
  std::optional<Clock::time_point> read_at_;
};

}  // namespace inetdiag
