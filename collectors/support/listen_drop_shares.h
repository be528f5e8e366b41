// Attributes the growth of TcpExtListenDrops to listeners.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "collectors/kernel/netlink/endpoint.h"

namespace inetdiag {

/// One listener in an interval between two scrapes.
struct ListenDropCandidate {
  std::uint64_t growth = 0;  ///< of its SK_MEMINFO_DROPS
  /// The part of `growth` to expect for other reasons than a full queue.
  std::uint64_t expected_other = 0;
  bool has_full_queue = false;  ///< at the begin or the end of the interval
};

/// Returns the number of `listen_drops` that each candidate made for certain, as far as the others
/// cannot have made them. Each listen drop is also counted in the SK_MEMINFO_DROPS of its listener
/// (include/net/tcp.h, tcp_listendrop), which counts other packets as well. Listeners with a full
/// queue explain the growth before those without.
std::vector<std::uint64_t> listen_drop_shares(std::uint64_t listen_drops,
                                              std::span<const ListenDropCandidate> candidates);

/// Sums the shares of each listener over the scrapes, and learns how fast its SK_MEMINFO_DROPS grow
/// for other reasons: bare ACKs under TCP_DEFER_ACCEPT, RSTs to half-open connections,
/// retransmitted SYNs, wrong checksums.
class ListenDropCounters {
 public:
  using Clock = std::chrono::steady_clock;

  struct Listener {
    kernel::Endpoint endpoint;
    std::uint64_t drops = 0;   ///< SK_MEMINFO_DROPS, summed over its sockets, also closed ones
    std::uint64_t growth = 0;  ///< of `drops` since the previous scrape
    bool has_full_queue = false;
  };

  struct Share {
    std::uint64_t total = 0;
    std::uint64_t growth = 0;  ///< since the previous scrape
  };

  /// TcpExtListenDrops, read before and after the drops of the listeners: what happened in between
  /// belongs to no interval.
  struct ListenDrops {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
  };

  /// Begins to count at the creation of the namespace, when TcpExtListenDrops was 0. Otherwise the
  /// first update() is the begin.
  void begin(Clock::time_point namespace_created) {
    previous_listen_drops_ = 0;
    updated_at_ = namespace_created;
  }

  /// Returns the share of each listener.
  std::vector<Share> update(std::span<const Listener> listeners, ListenDrops listen_drops,
                            Clock::time_point now);

 private:
  struct State {
    std::uint64_t total = 0;
    std::optional<double> other_per_second;
    bool had_full_queue = false;
    bool is_present = false;
  };

  static void learn(State& state, double other, double seconds, bool is_exact);

  std::map<kernel::Endpoint, State> states_;
  std::optional<std::uint64_t> previous_listen_drops_;  ///< ListenDrops::after
  Clock::time_point updated_at_{};
};

}  // namespace inetdiag
