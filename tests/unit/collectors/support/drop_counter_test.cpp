#include "collectors/support/drop_counter.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace inetdiag {
namespace {

using Sockets = std::vector<SocketDrops>;

std::uint64_t total_after(const std::vector<Sockets>& rounds) {
  DropCounter counter;
  for (const Sockets& sockets : rounds) {
    counter.update(sockets);
  }
  return counter.total();
}

TEST(DropCounter, SumsTheDropsOfNewSockets) { EXPECT_EQ(total_after({{{1, 5}, {2, 7}}}), 12U); }

TEST(DropCounter, KeepsTheDropsOfClosedSockets) {
  EXPECT_EQ(total_after({{{1, 5}, {2, 7}}, {{2, 7}}, {{2, 8}}}), 13U);
  EXPECT_EQ(total_after({{{1, 5}}, {}, {{2, 1}}}), 6U);
}

TEST(DropCounter, DoesNotCountAReturningSocketTwice) {
  EXPECT_EQ(total_after({{{1, 9}}, {}, {{1, 9}}}), 9U);
  EXPECT_EQ(total_after({{{1, 9}}, {{2, 1}}, {}, {{1, 11}}}), 12U);
}

TEST(DropCounter, LimitsTheNumberOfAbsentSockets) {
  DropCounter counter;
  for (std::uint64_t cookie = 0; cookie < 1000; ++cookie) {
    counter.update(Sockets{{cookie, 1}});
  }
  EXPECT_EQ(counter.total(), 1000U);
  EXPECT_EQ(counter.update(Sockets{{998, 1}}), 0U);
  EXPECT_EQ(counter.update(Sockets{{1, 1}}), 1U);  // evicted
}

TEST(DropCounter, HandlesCountsThatWrap) {
  EXPECT_EQ(total_after({{{1, 0xffff'fff0U}}, {{1, 0x10U}}}), 0x1'0000'0010U);
}

TEST(DropCounter, DoesNotDecreaseIfACountDoes) {
  EXPECT_EQ(total_after({{{1, 100}}, {{1, 99}}}), 100U);
  EXPECT_EQ(total_after({{{1, 100}}, {{1, 99}}, {{1, 101}}}), 101U);
}

TEST(DropCounters, KeepTheCounterOfAReturningKey) {
  DropCounters<std::string> counters(10);
  const auto round = [&](const std::string& key, const Sockets& sockets) {
    counters.begin_round();
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
    counters.begin_round();
    counters.update(key, Sockets{{static_cast<std::uint64_t>(key), 10}});
    counters.end_round();
  }
  counters.begin_round();
  EXPECT_EQ(counters.update(2, Sockets{{22, 1}}).total, 11U);
  EXPECT_EQ(counters.update(1, Sockets{{11, 1}}).total, 1U);
}

TEST(DropCounters, ReturnTheGrowth) {
  DropCounters<int> counters(1);
  counters.begin_round();
  EXPECT_EQ(counters.update(1, Sockets{{1, 5}}).growth, 5U);
  counters.end_round();
  counters.begin_round();
  EXPECT_EQ(counters.update(1, Sockets{{1, 9}}).growth, 4U);
}

}  // namespace
}  // namespace inetdiag
