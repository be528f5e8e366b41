#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/support/accept_queue_history.h"

namespace inetdiag {

/// Finds the sockets whose waiting connections nobody accepts, by comparing two scrapes. accept()
/// takes the oldest connection first (inet_csk_accept), so a queue in which as many connections are
/// older than the previous scrape as waited then has not been taken from.
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
  };

  /// Returns when the connections were last read; absent before the first scrape.
  std::optional<Clock::time_point> read_at() const { return read_at_; }

  /// Returns whether connections waited at the endpoint in the previous scrape.
  bool has_waited(const kernel::Endpoint& endpoint) const { return queues_.contains(endpoint); }

  /// Compares the sockets of one endpoint with those of the previous scrape. `old` of the
  /// connections must be those from before read_at(). `history`, which may be null, excludes
  /// sockets whose queue was empty or shorter in between. Returns nothing if connections did not
  /// wait in the previous scrape.
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
  using Sockets = std::unordered_map<std::uint64_t, SocketState>;  ///< by cookie

  static Sockets begin(std::span<const Socket> sockets, Clock::time_point now);

  std::map<kernel::Endpoint, Sockets> queues_;
  std::map<kernel::Endpoint, Sockets> next_;
  std::optional<Clock::time_point> read_at_;
};

}  // namespace inetdiag
