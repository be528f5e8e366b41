#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "exporter/statsd/counter_deltas.h"
#include "exporter/statsd/line.h"

namespace inetdiag::statsd {

struct Datagram {
  std::string text{};
  /// The increases in it, for Increases::acknowledge() once it is sent.
  std::vector<std::pair<std::string, double>> increases{};
};

struct Packed {
  std::vector<Datagram> datagrams{};
  std::vector<std::string> too_long{};  ///< lines that fit into none
};

/// The series as lines, packed into datagrams of `mtu` bytes at most. A counter that did not grow
/// is left out, and what is not finite.
Packed pack(const std::vector<prometheus::MetricFamily>& families, const Style& style,
            CounterDeltas& increases, std::size_t mtu);

}  // namespace inetdiag::statsd
