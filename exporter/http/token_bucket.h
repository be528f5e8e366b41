#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "exporter/web_config/web_config.h"

namespace inetdiag {

/// Limits the rate of requests as Go's rate.Limiter does in exporter-toolkit. Thread-safe.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  /// Takes a token; returns false if there is none. The bucket is full at first, and when the limit
  /// changes.
  bool try_acquire(const RateLimit& limit, Clock::time_point now = Clock::now());

 private:
  std::mutex mutex_;
  std::optional<RateLimit> limit_;
  double tokens_ = 0;
  Clock::time_point updated_;
};

}  // namespace inetdiag
