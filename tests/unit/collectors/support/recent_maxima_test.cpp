#include "collectors/support/recent_maxima.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;

struct RecentMaximaTest : ::testing::Test {
  RecentMaxima::Clock::time_point now{24h};
  RecentMaxima maxima;

  /// Returns the newest `count` slots.
  std::vector<double> last(std::size_t count) const {
    const auto all = maxima.by_slot(now);
    return {all.end() - static_cast<std::ptrdiff_t>(count), all.end()};
  }
};

TEST_F(RecentMaximaTest, AreZeroAtFirst) { EXPECT_THAT(maxima.by_slot(now), Each(0)); }

TEST_F(RecentMaximaTest, HaveTheHighestValueOfEachSlot) {
  maxima.add(now, 1);
  maxima.add(now + 9s, 3);
  maxima.add(now + 9s, 2);
  maxima.add(now + 10s, 1);
  maxima.add(now + 35s, 5);
  now += 39s;
  EXPECT_THAT(last(5), ElementsAre(0, 3, 1, 0, 5));
}

TEST_F(RecentMaximaTest, GrowOlderWithoutNewValues) {
  maxima.add(now, 1);
  now += 20s;
  EXPECT_THAT(last(3), ElementsAre(1, 0, 0));
}

TEST_F(RecentMaximaTest, EndAfterFiveMinutes) {
  maxima.add(now, 1);
  now += 5min;
  EXPECT_EQ(maxima.by_slot(now).front(), 1);
  now += 10s;
  EXPECT_THAT(maxima.by_slot(now), Each(0));
}

TEST_F(RecentMaximaTest, HaveNothingOfTheSlotsOfALongPause) {
  for (int i = 0; i < 40; ++i) {
    maxima.add(now += 10s, 1);
  }
  maxima.add(now += 1h, 2);
  EXPECT_EQ(maxima.by_slot(now).back(), 2);
  EXPECT_EQ(std::ranges::count(maxima.by_slot(now), 0), RecentMaxima::slots - 1);
}

TEST_F(RecentMaximaTest, WorkShortlyAfterBoot) {
  now = RecentMaxima::Clock::time_point(1s);
  EXPECT_THAT(maxima.by_slot(now), Each(0));
  maxima.add(now, 1);
  EXPECT_EQ(maxima.by_slot(now).back(), 1);
  EXPECT_EQ(maxima.by_slot(now).front(), 0);
}

}  // namespace
}  // namespace inetdiag
