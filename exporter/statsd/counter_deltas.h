#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace inetdiag::statsd {

/// What is to be told of counters: how much each grew since it was last told.
class CounterDeltas {
 public:
  /// How long one that is gone stays known, in pushes: a collector that fails for a while must not
  /// make its counters begin anew.
  static constexpr std::uint64_t max_absence = 60;

  /// What was not told yet of a counter that is `value` now. One that is lower than before began
  /// anew at 0. None where it is seen for the first time: how much of it is new, nobody knows.
  double of(const std::string& counter, double value);

  void acknowledge(const std::string& counter, double increase);

  /// Ends a push: forgets what has been gone for too long.
  void evict_absent();

 private:
  struct Known {
    double value = 0;
    double pending = 0;
    std::uint64_t seen = 0;  ///< in which push
  };
  std::unordered_map<std::string, Known> known_;
  std::uint64_t push_ = 0;
};

}  // namespace inetdiag::statsd
