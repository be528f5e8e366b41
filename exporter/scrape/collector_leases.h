// Who may use a collector: one scrape at a time.
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
  /// The right to use a collector, until it is destroyed; null if there is none.
  using Lease = std::unique_ptr<CollectorLeases, Release>;

  /// Waits for the collector while the scrape that holds it can still meet its deadline: a
  /// collector that is stuck in the kernel must not delay every later scrape. Null if the collector
  /// is still in use then, or when `deadline` has passed.
  Lease acquire(std::size_t collector, const kernel::Deadline& deadline);

  /// Wakes all waiters, so that they notice a stop request in their deadline.
  void wake();

 private:
  void release(std::size_t collector);

  std::mutex mutex_;
  std::condition_variable released_;
  /// Of each collector in use, when its holder is expected to return it at the latest.
  std::vector<std::optional<Clock::time_point>> busy_until_;
};

}  // namespace inetdiag
