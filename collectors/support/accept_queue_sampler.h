#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/support/accept_queue_history.h"

namespace inetdiag {

/// Samples the accept queues of one network namespace at a short interval, in a thread of its own,
/// while somebody reads the samples.
class AcceptQueueSampler {
 public:
  using Clock = AcceptQueueHistory::Clock;

  /// The thread ends after this time without read().
  static constexpr std::chrono::minutes max_idle{5};
  /// Of one CPU. With thousands of listeners the interval is longer.
  static constexpr double max_cpu_share = 0.002;

  explicit AcceptQueueSampler(Clock::duration interval) : interval_(interval) {}

  /// Returns the history until now, of the listeners that are `open`. Starts the thread, in the
  /// network namespace of the caller, unless it is running.
  AcceptQueueHistory read(const kernel::NetlinkFactory& factory,
                          std::span<const kernel::Listener> open);

  /// Returns the error of the last sample, and forgets it.
  std::optional<std::string> take_error();

 private:
  void run(const std::stop_token& stop, const kernel::NetlinkFactory& factory);
  void sample(const std::stop_token& stop, const kernel::NetlinkFactory& factory,
              std::unique_ptr<kernel::Netlink>& netlink);

  const Clock::duration interval_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  AcceptQueueHistory history_;
  std::optional<std::string> error_;
  Clock::time_point last_read_{};
  bool is_running_ = false;
  std::jthread thread_;
};

}  // namespace inetdiag
