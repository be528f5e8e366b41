// Exclusive access to collectors: one scrape at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "collectors/kernel/base/deadline.h"

namespace inetdiag {

class CollectorLeases {
 public:
  using Clock = kernel::Deadline::Clock;

  explicit CollectorLeases(std::size_t collectors) : busy_until_(collectors) {}

  struct Release {
    std::size_t collector = 0;
    void operator()(CollectorLeases* leases) const { leases->release(collector); }
  };
  /// The right to use a collector, until the lease is destroyed; null if it was not granted.
  using Lease = std::unique_ptr<CollectorLeases, Release>;

  /// Waits until the collector is free, `deadline` has passed, or the collector counts as stuck: a
  /// collector that is stuck in the kernel must not delay every later scrape. Returns null if the
  /// collector is still in use.
  Lease acquire(std::size_t collector, const kernel::Deadline& deadline);

  /// Wakes all waiters: they do not notice a stop request in their deadline otherwise.
  void wake();

 private:
  void release(std::size_t collector);

  std::mutex mutex_;
  std::condition_variable released_;
  /// For each collector in use, the time from which it counts as stuck.
  std::vector<std::optional<Clock::time_point>> busy_until_;
};

}  // namespace inetdiag
