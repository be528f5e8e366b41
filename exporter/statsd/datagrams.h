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
  /// Counters and their increases in this datagram, for CounterDeltas::acknowledge().
  std::vector<std::pair<std::string, double>> increases{};
};

struct Packed {
  std::vector<Datagram> datagrams{};
  std::vector<std::string> too_long{};  ///< lines longer than a datagram
};

/// Formats the series and packs the lines into datagrams of up to `mtu` bytes. Omits counters that
/// have not increased and values that are not finite.
Packed pack(const std::vector<prometheus::MetricFamily>& families, const Style& style,
            CounterDeltas& deltas, std::size_t mtu);

}  // namespace inetdiag::statsd
