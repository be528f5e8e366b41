#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace inetdiag::statsd {

/// Computes how much each counter has increased since the last increase that was sent.
class CounterDeltas {
 public:
  /// The number of pushes after which a missing counter is evicted. The increases of a counter must
  /// not be lost while its collector fails.
  static constexpr std::uint64_t max_absence = 60;

  /// Returns the unacknowledged increase of the counter, which is now at `value`. A lower value
  /// than before means a reset to 0. The first value of a counter is not an increase.
  double pending(const std::string& counter, double value);

  /// Subtracts an increase that was sent.
  void acknowledge(const std::string& counter, double increase);

  /// Ends a push: evicts counters that have been missing for more than max_absence pushes.
  void evict_absent();

 private:
  struct Counter {
    double value = 0;
    double pending = 0;
    std::uint64_t last_seen = 0;  ///< the number of the push
  };
  std::unordered_map<std::string, Counter> counters_;
  std::uint64_t push_ = 0;
};

}  // namespace inetdiag::statsd
