#include "collectors/support/drop_counter.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using Sockets = std::vector<SocketDrops>;

std::uint64_t total_after(const std::vector<Sockets>& rounds) {
  DropTracker tracker(64);
  std::uint64_t total = 0;
  for (const Sockets& sockets : rounds) {
    total += tracker.update(sockets);
    tracker.end_round();
  }
  return total;
}

TEST(DropTracker, SumsTheDropsOfNewSockets) { EXPECT_EQ(total_after({{{1, 5}, {2, 7}}}), 12U); }

TEST(DropTracker, KeepsTheDropsOfClosedSockets) {
  EXPECT_EQ(total_after({{{1, 5}, {2, 7}}, {{2, 7}}, {{2, 8}}}), 13U);
  EXPECT_EQ(total_after({{{1, 5}}, {}, {{2, 1}}}), 6U);
}

TEST(DropTracker, DoesNotCountAReturningSocketTwice) {
  EXPECT_EQ(total_after({{{1, 9}}, {}, {{1, 9}}}), 9U);
  EXPECT_EQ(total_after({{{1, 9}}, {{2, 1}}, {}, {{1, 11}}}), 12U);
}

TEST(DropTracker, LimitsTheNumberOfAbsentSockets) {
  DropTracker tracker(64);
  for (std::uint64_t cookie = 0; cookie < 1000; ++cookie) {
    EXPECT_EQ(tracker.update(Sockets{{cookie, 1}}), 1U);
    tracker.end_round();
  }
  EXPECT_EQ(tracker.update(Sockets{{998, 1}}), 0U);
  EXPECT_EQ(tracker.update(Sockets{{935, 1}}), 0U);
  EXPECT_EQ(tracker.update(Sockets{{934, 1}}), 1U);  // evicted
}

TEST(DropTracker, HandlesCountsThatWrap) {
  EXPECT_EQ(total_after({{{1, 0xffff'fff0U}}, {{1, 0x10U}}}), 0x1'0000'0010U);
}

TEST(DropTracker, DoesNotDecreaseIfACountDoes) {
  EXPECT_EQ(total_after({{{1, 100}}, {{1, 99}}}), 100U);
  EXPECT_EQ(total_after({{{1, 100}}, {{1, 99}}, {{1, 101}}}), 101U);
}

TEST(DropCounters, KeepTheCounterOfAReturningKey) {
  DropCounters<std::string> counters(10);
  const auto round = [&](const std::string& key, const Sockets& sockets) {
    const auto updated = counters.update(key, sockets);
    counters.end_round();
    return updated.total;
  };
  EXPECT_EQ(round("a", {{1, 5}}), 5U);
  EXPECT_EQ(round("b", {{2, 1}}), 1U);
  EXPECT_EQ(round("a", {{3, 2}}), 7U);
  // The kernel never reuses a cookie, so socket 2 has closed.
  EXPECT_EQ(round("b", {{4, 1}}), 2U);
}

TEST(DropCounters, EvictTheLongestAbsentKeys) {
  DropCounters<int> counters(1);
  for (const int key : {1, 2, 3}) {
    counters.update(key, Sockets{{static_cast<std::uint64_t>(key), 10}});
    counters.end_round();
  }
  EXPECT_EQ(counters.update(2, Sockets{{22, 1}}).total, 11U);
  EXPECT_EQ(counters.update(1, Sockets{{11, 1}}).total, 1U);
}

TEST(DropCounters, ReturnTheGrowth) {
  DropCounters<int> counters(1);
  EXPECT_EQ(counters.update(1, Sockets{{1, 5}}).growth, 5U);
  counters.end_round();
  EXPECT_EQ(counters.update(1, Sockets{{1, 9}}).growth, 4U);
}

std::chrono::system_clock::time_point second(int seconds) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

TEST(DropCounters, AreCreatedAtTheRoundBeforeTheyAppeared) {
  DropCounters<std::string> counters(10);
  EXPECT_EQ(counters.update("a", {}).created, std::nullopt);
  counters.end_round();
  EXPECT_EQ(counters.update("a", {}, second(1)).created, std::nullopt);
  EXPECT_EQ(counters.update("b", Sockets{{1, 3}}, second(1)).created, second(1));
  counters.end_round();
  EXPECT_EQ(counters.update("b", Sockets{{1, 4}}, second(2)).created, second(1));
}

TEST(DropCounters, AreCreatedAgainOnlyIfTheyStartAtZero) {
  DropCounters<std::string> counters(10);
  counters.update("without", {}, second(1));
  counters.update("with", Sockets{{1, 3}}, second(1));
  counters.update("old", Sockets{{2, 3}});
  counters.end_round();
  counters.end_round();
  EXPECT_EQ(counters.update("without", {}, second(2)).created, second(2));
  EXPECT_EQ(counters.update("with", {}, second(2)).created, second(1));
  EXPECT_EQ(counters.update("old", {}, second(2)).created, std::nullopt);
}

TEST(DropCounters, ForgetTheCreatedTimeOfAnAggregatedKey) {
  DropCounters<std::string> counters(10);
  EXPECT_EQ(counters.update("a", Sockets{{1, 3}}, second(1)).created, second(1));
  counters.forget_created("a");
  counters.end_round();
  EXPECT_EQ(counters.update("a", Sockets{{1, 4}}, second(2)).created, std::nullopt);
}

TEST(DropCounters, CountASocketOnceThatMoves) {
  DropCounters<std::string> counters(10);
  EXPECT_EQ(counters.update_aggregate(Sockets{{1, 5}}), 5U);
  counters.end_round();
  EXPECT_EQ(counters.update("a", Sockets{{1, 7}}).total, 2U);
  counters.end_round();
  EXPECT_EQ(counters.update("b", Sockets{{1, 8}}).total, 1U);
  EXPECT_EQ(counters.update("a", {}).total, 2U);
  counters.end_round();
  EXPECT_EQ(counters.update_aggregate(Sockets{{1, 8}}), 0U);
}

}  // namespace
}  // namespace inetdiag
