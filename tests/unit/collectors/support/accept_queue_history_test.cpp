#include "collectors/support/accept_queue_history.h"

#include <initializer_list>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using kernel::AcceptQueue;
using kernel::Endpoint;
using kernel::InetAddress;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Endpoint at(std::uint16_t port) { return {InetAddress::any(AF_INET), port, 0}; }

AcceptQueue queue(std::uint16_t port, std::uint64_t cookie, std::uint32_t waiting,
                  std::uint32_t backlog = 99) {
  return {.endpoint = at(port), .cookie = cookie, .waiting = waiting, .backlog = backlog};
}

struct AcceptQueueHistoryTest : ::testing::Test {
  AcceptQueueHistory::Clock::time_point now{24h};
  AcceptQueueHistory history;

  AcceptQueueHistoryTest() { history.resume(now); }

  void sample(std::initializer_list<AcceptQueue> waiting,
              AcceptQueueHistory::Clock::duration later = 50ms) {
    now += later;
    history.add(now, std::vector(waiting));
  }
  AcceptQueueSamples at_80() const { return history.samples(now).at(at(80)); }
};

TEST_F(AcceptQueueHistoryTest, HasNothingOfQueuesThatWereAlwaysEmpty) {
  sample({});
  sample({});
  EXPECT_THAT(history.samples(now), IsEmpty());
}

TEST_F(AcceptQueueHistoryTest, CountsSamplesByTheFillRatio) {
  sample({queue(80, 1, 1)});   // 0.01
  sample({queue(80, 1, 25)});  // a bound belongs to the range below it
  sample({queue(80, 1, 26)});
  sample({queue(80, 1, 79)});
  sample({queue(80, 1, 81)});
  sample({queue(80, 1, 99)});
  sample({queue(80, 1, 100)});  // full
  sample({});
  sample({});
  EXPECT_THAT(at_80().by_fill, ElementsAre(2, 2, 1, 1, 2, 1));
  EXPECT_NEAR(at_80().fill_sum, 4.11, 1e-9);
}

TEST_F(AcceptQueueHistoryTest, BeginsWithTheFirstSampleThatIsNotEmpty) {
  sample({});
  sample({queue(80, 1, 1)});
  sample({});
  EXPECT_THAT(at_80().by_fill, ElementsAre(1, 1, 0, 0, 0, 0));
}

TEST_F(AcceptQueueHistoryTest, UsesTheFullestOfSeveralSockets) {
  sample({queue(80, 1, 1), queue(80, 2, 100), queue(80, 3, 2), queue(81, 4, 1)});
  EXPECT_THAT(at_80().by_fill, ElementsAre(0, 0, 0, 0, 0, 1));
  EXPECT_EQ(at_80().peak_fill, 1);
}

TEST_F(AcceptQueueHistoryTest, AddsUpTheTimeThatConnectionsWaited) {
  sample({queue(80, 1, 3), queue(80, 2, 1)}, 100ms);
  sample({}, 100ms);
  sample({queue(80, 1, 2)}, 1s);
  EXPECT_DOUBLE_EQ(at_80().waiting_time.count(), 2.4);
}

TEST_F(AcceptQueueHistoryTest, DoesNotCountTheTimeOfAnInterruption) {
  sample({queue(80, 1, 1)}, 1s);
  now += 1h;
  history.resume(now);
  sample({queue(80, 1, 1)}, 1s);
  EXPECT_DOUBLE_EQ(at_80().waiting_time.count(), 2);
}

TEST_F(AcceptQueueHistoryTest, HasThePeakOfTheLastFiveMinutes) {
  sample({queue(80, 1, 50)});
  sample({queue(80, 1, 10)}, 2min);
  EXPECT_EQ(history.samples(now).at(at(80)).peak_fill, 0.5);
  EXPECT_EQ(history.samples(now + 3min).at(at(80)).peak_fill, 0.5);
  EXPECT_EQ(history.samples(now + 3min + 10s).at(at(80)).peak_fill, 0.1);
  EXPECT_EQ(history.samples(now + 5min + 10s).at(at(80)).peak_fill, 0);
}

TEST_F(AcceptQueueHistoryTest, HasTheFillOfTheLastFiveMinutes) {
  sample({});
  sample({queue(80, 1, 20), queue(80, 2, 50)}, 10s);
  sample({queue(80, 1, 20)});
  now += 10s;  // no sample
  sample({}, 10s);
  sample({queue(80, 1, 10)}, 10s);
  const auto fill = at_80().recent_fill;
  ASSERT_EQ(fill.size(), RecentMaxima::slots);
  EXPECT_EQ(std::vector(fill.end() - 6, fill.end()),
            (std::vector<std::optional<double>>{std::nullopt, 0, 0.5, std::nullopt, 0, 0.1}));
}

TEST_F(AcceptQueueHistoryTest, HasNoRecentFillOfAQueueThatWasEmptyForFiveMinutes) {
  sample({queue(80, 1, 50)});
  sample({}, 6min);
  EXPECT_THAT(at_80().recent_fill, IsEmpty());
}

TEST_F(AcceptQueueHistoryTest, ForgetsListenersThatHaveClosed) {
  sample({queue(80, 1, 1), queue(81, 2, 1)});
  kernel::Listener open;
  open.endpoint = at(80);
  history.keep_only(std::vector{open});
  EXPECT_EQ(history.samples(now).size(), 1);
  EXPECT_TRUE(history.samples(now).contains(at(80)));
}

TEST_F(AcceptQueueHistoryTest, KeepsALimitedNumberOfListeners) {
  std::vector<AcceptQueue> queues;
  for (std::uint32_t device = 0; device < AcceptQueueHistory::max_listeners + 5; ++device) {
    queues.push_back(queue(80, device, 1));
    queues.back().endpoint.device = device;
  }
  history.add(now, queues);
  EXPECT_EQ(history.samples(now).size(), AcceptQueueHistory::max_listeners);
}

TEST_F(AcceptQueueHistoryTest, KnowsWhichSocketsWereEmpty) {
  const auto begin = now;
  sample({queue(80, 1, 1), queue(80, 2, 1)});
  sample({queue(80, 1, 1)});
  const auto later = now;
  sample({queue(80, 1, 1), queue(80, 2, 1)});
  EXPECT_FALSE(history.was_empty(1, begin));
  EXPECT_TRUE(history.was_empty(2, begin));
  EXPECT_FALSE(history.was_empty(2, later));
  EXPECT_TRUE(history.was_empty(3, begin));
}

TEST_F(AcceptQueueHistoryTest, KnowsWhichQueuesHaveFallen) {
  const auto begin = now;
  sample({queue(80, 1, 2), queue(80, 2, 2)});
  sample({queue(80, 1, 1), queue(80, 2, 3)});
  const auto later = now;
  sample({queue(80, 1, 2), queue(80, 2, 3)});
  EXPECT_TRUE(history.has_fallen(1, begin));
  EXPECT_FALSE(history.has_fallen(1, later));
  EXPECT_FALSE(history.has_fallen(2, begin));
}

TEST_F(AcceptQueueHistoryTest, KnowsNothingOfTheTimeBeforeItsFirstSample) {
  const auto begin = now;
  EXPECT_FALSE(history.was_empty(1, begin));
  sample({queue(80, 1, 1)});
  history.resume(now);
  EXPECT_FALSE(history.has_fallen(1, begin));
  sample({queue(80, 1, 1)});
  EXPECT_FALSE(history.was_empty(1, begin));
}

}  // namespace
}  // namespace inetdiag
