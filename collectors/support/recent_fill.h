#pragma once

#include <optional>
#include <vector>

#include "collectors/support/family.h"

namespace inetdiag {

/// How full the accept queue of a listener was in the last minutes. It is no series: Prometheus has
/// a history of its own.
struct RecentFill {
  Labels labels{};          ///< those of the listener's series
  double slot_seconds = 0;  ///< between two ratios
  /// The highest fill ratio in each slot, the oldest first; absent without a sample in the slot.
  std::vector<std::optional<double>> ratios{};
};

}  // namespace inetdiag
