#include "exporter/log/rate_limiter.h"

#include <utility>

namespace inetdiag {

std::optional<unsigned> LogRateLimiter::try_acquire(Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (last_ && now - *last_ < interval) {
    ++suppressed_;
    return std::nullopt;
  }
  last_ = now;
  return std::exchange(suppressed_, 0);
}

}  // namespace inetdiag
