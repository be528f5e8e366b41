// Round-trip times, congestion windows and limits of open connections, in constant memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

/// Counts values by upper bound; the last count is of those above all bounds.
template <std::size_t Bounds>
struct BucketCounts {
  std::array<std::uint64_t, Bounds + 1> counts{};
  double sum = 0;

  void add(double value, const std::array<double, Bounds>& bounds) {
    const auto* const bound = std::ranges::lower_bound(bounds, value);
    ++counts[static_cast<std::size_t>(bound - bounds.begin())];
    sum += value;
  }

  BucketCounts& operator+=(const BucketCounts& other) {
    std::ranges::transform(counts, other.counts, counts.begin(), std::plus<>());
    sum += other.sum;
    return *this;
  }
};

/// What INET_DIAG_INFO says about a set of open connections, as they are at the moment.
struct ConnectionInfo {
  static constexpr std::array rtt_bounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                            0.025,  0.05,    0.1,    0.25,  0.5,    1.0,   2.5};
  static constexpr std::array congestion_window_bounds = {1.0,  2.0,   5.0,   10.0,  20.0,
                                                          50.0, 100.0, 200.0, 500.0, 1000.0};

  std::uint64_t connections = 0;
  BucketCounts<rtt_bounds.size()> rtt;  ///< seconds, of those with a measured one
  BucketCounts<congestion_window_bounds.size()> congestion_window;  ///< segments
  std::uint64_t retransmitted = 0;  ///< connections that have retransmitted a segment
  /// Connections that were limited for at least half of the time in which they were sending.
  std::uint64_t receive_window_limited = 0;
  std::uint64_t send_buffer_limited = 0;

  void add(const TcpInfo& info);
  ConnectionInfo& operator+=(const ConnectionInfo& other);
};

}  // namespace inetdiag::kernel
