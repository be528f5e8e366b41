#include "exporter/http/token_bucket.h"

#include <algorithm>

namespace inetdiag {

bool TokenBucket::try_acquire(const RateLimit& limit, Clock::time_point now) {
  if (!limit.is_enabled()) {
    return true;
  }
  const auto capacity = static_cast<double>(limit.burst);
  const std::lock_guard lock(mutex_);
  if (limit_ != limit) {
    limit_ = limit;
    tokens_ = capacity;
    updated_ = now;
  }
  // Threads may take `now` and the lock in a different order.
  if (now > updated_) {
    const std::chrono::duration<double, std::nano> elapsed = now - updated_;
    tokens_ = std::min(capacity, tokens_ + elapsed / limit.interval);
    updated_ = now;
  }
  if (tokens_ < 1) {
    return false;
  }
  tokens_ -= 1;
  return true;
}

}  // namespace inetdiag
