#include "exporter/http/token_bucket.h"

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, AllowsABurstAndThenOneRequestEachInterval) {
  TokenBucket bucket;
  const RateLimit limit{.interval = 1s, .burst = 2};
  const auto start = TokenBucket::Clock::now();
  EXPECT_TRUE(bucket.try_acquire(limit, start));
  EXPECT_TRUE(bucket.try_acquire(limit, start));
  EXPECT_FALSE(bucket.try_acquire(limit, start));
  EXPECT_FALSE(bucket.try_acquire(limit, start + 900ms));
  EXPECT_TRUE(bucket.try_acquire(limit, start + 1s));
  EXPECT_FALSE(bucket.try_acquire(limit, start + 1s));
  EXPECT_FALSE(bucket.try_acquire(limit, start));
}

TEST(TokenBucket, HoldsNoMoreThanTheBurst) {
  TokenBucket bucket;
  const RateLimit limit{.interval = 1s, .burst = 2};
  const auto start = TokenBucket::Clock::now();
  EXPECT_TRUE(bucket.try_acquire(limit, start));
  EXPECT_TRUE(bucket.try_acquire(limit, start + 1h));
  EXPECT_TRUE(bucket.try_acquire(limit, start + 1h));
  EXPECT_FALSE(bucket.try_acquire(limit, start + 1h));
}

TEST(TokenBucket, HasNoLimitWithoutAPositiveInterval) {
  TokenBucket bucket;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(bucket.try_acquire({}));
    EXPECT_TRUE(bucket.try_acquire({.interval = -1s, .burst = 1}));
  }
}

TEST(TokenBucket, AllowsNothingWithoutABurst) {
  TokenBucket bucket;
  EXPECT_FALSE(bucket.try_acquire({.interval = 1s, .burst = 0}));
  EXPECT_FALSE(bucket.try_acquire({.interval = 1s, .burst = -1}));
}

TEST(TokenBucket, IsFullAfterAChangeOfTheLimit) {
  TokenBucket bucket;
  const auto start = TokenBucket::Clock::now();
  EXPECT_TRUE(bucket.try_acquire({.interval = 1h, .burst = 1}, start));
  EXPECT_FALSE(bucket.try_acquire({.interval = 1h, .burst = 1}, start));
  EXPECT_TRUE(bucket.try_acquire({.interval = 2h, .burst = 1}, start));
}

}  // namespace
}  // namespace inetdiag
