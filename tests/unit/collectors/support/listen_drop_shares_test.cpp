#include "collectors/support/listen_drop_shares.h"

#include <array>
#include <cstring>
#include <numeric>
#include <random>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

using Candidates = std::vector<ListenDropCandidate>;

std::vector<std::uint64_t> shares(std::uint64_t listen_drops, const Candidates& candidates) {
  return listen_drop_shares(listen_drops, candidates);
}

TEST(ListenDropShares, AreEmptyWithoutListeners) { EXPECT_TRUE(shares(5, {}).empty()); }

TEST(ListenDropShares, OfTheOnlyListenerThatDroppedPacketsAreAllListenDrops) {
  EXPECT_THAT(shares(20, {{.growth = 50}, {.growth = 0}}), ElementsAre(20, 0));
  EXPECT_THAT(shares(20, {{.growth = 50, .expected_other = 1000}}), ElementsAre(20));
}

TEST(ListenDropShares, AreAtMostWhatTheListenerDropped) {
  // Another listener made the rest, and has closed since.
  EXPECT_THAT(shares(20, {{.growth = 5}}), ElementsAre(5));
}

TEST(ListenDropShares, AreZeroIfTheNamespaceCountedNone) {
  EXPECT_THAT(shares(0, {{.growth = 50, .has_full_queue = true}, {.growth = 5}}),
              ElementsAre(0, 0));
}

TEST(ListenDropShares, GoToFullQueuesBeforeOthers) {
  EXPECT_THAT(shares(10, {{.growth = 100}, {.growth = 10, .has_full_queue = true}}),
              ElementsAre(0, 10));
}

TEST(ListenDropShares, OfSeveralFullQueuesAreExactIfTheyExplainAllListenDrops) {
  EXPECT_THAT(
      shares(30, {{.growth = 10, .has_full_queue = true}, {.growth = 20, .has_full_queue = true}}),
      ElementsAre(10, 20));
}

TEST(ListenDropShares, GiveTheRestToListenersWithoutAFullQueue) {
  EXPECT_THAT(shares(30, {{.growth = 10, .has_full_queue = true}, {.growth = 50}}),
              ElementsAre(10, 20));
}

TEST(ListenDropShares, LeaveOutWhatEitherListenerMayHaveDropped) {
  EXPECT_THAT(shares(10, {{.growth = 10}, {.growth = 10}}), ElementsAre(0, 0));
  EXPECT_THAT(shares(15, {{.growth = 10}, {.growth = 10}}), ElementsAre(5, 5));
}

TEST(ListenDropShares, DisregardDropsForOtherReasons) {
  EXPECT_THAT(shares(10, {{.growth = 100, .expected_other = 130}, {.growth = 10}}),
              ElementsAre(0, 10));
}

TEST(ListenDropShares, AreNeverMoreThanTheListenerReallyDropped) {
  std::mt19937 random(4);
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::uint64_t> dropped(1 + random() % 4);
    Candidates candidates;
    for (std::uint64_t& drops : dropped) {
      drops = random() % 4;
      candidates.push_back({.growth = drops + random() % 4, .has_full_queue = round % 2 == 0});
    }
    const auto all = std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
    const auto found = shares(all, candidates);
    for (std::size_t i = 0; i < dropped.size(); ++i) {
      EXPECT_LE(found[i], dropped[i]) << round;
    }
  }
}

/// Two listeners, at ports 80 and 443, whose drops grow from scrape to scrape.
class TwoListeners {
 public:
  struct Interval {
    std::array<std::uint64_t, 2> drops{};         ///< SK_MEMINFO_DROPS, by how much they grow
    std::uint64_t listen_drops = 0;               ///< TcpExtListenDrops, likewise
    std::array<bool, 2> has_full_queue{};         ///< at the end
    std::array<bool, 2> is_present{true, true};   ///< at the end
    std::chrono::milliseconds duration = 1000ms;  ///< since the previous scrape
  };

  /// Returns the growth of the shares; 0 of an absent listener.
  std::array<std::uint64_t, 2> scrape(const Interval& interval) {
    now_ += interval.duration;
    listen_drops_ += interval.listen_drops;
    std::vector<ListenDropCounters::Listener> listeners;
    for (std::size_t i = 0; i < 2; ++i) {
      drops_[i] += interval.drops[i];
      if (interval.is_present[i]) {
        listeners.push_back({.endpoint = endpoint(i),
                             .drops = drops_[i],
                             .growth = interval.drops[i],
                             .has_full_queue = interval.has_full_queue[i]});
      }
    }
    const auto updated = counters_.update(listeners, {listen_drops_, listen_drops_}, now_);
    std::array<std::uint64_t, 2> growth{};
    for (std::size_t i = 0, next = 0; i < 2; ++i) {
      if (interval.is_present[i]) {
        growth[i] = updated[next].growth;
        totals_[i] = updated[next++].total;
      }
    }
    return growth;
  }

  const std::array<std::uint64_t, 2>& totals() const { return totals_; }
  void reset_listen_drops() { listen_drops_ = 0; }

 private:
  static kernel::Endpoint endpoint(std::size_t i) {
    return {kernel::InetAddress::any(AF_INET), static_cast<std::uint16_t>(i == 0 ? 80 : 443), 0};
  }

  ListenDropCounters counters_;
  ListenDropCounters::Clock::time_point now_{1h};
  std::uint64_t listen_drops_ = 1000;
  std::array<std::uint64_t, 2> drops_{};
  std::array<std::uint64_t, 2> totals_{};
};

TEST(ListenDropCounters, BeginAtZero) {
  TwoListeners host;
  EXPECT_THAT(host.scrape({.drops = {500, 0}, .listen_drops = 500, .has_full_queue = {true, true}}),
              ElementsAre(0, 0));
  EXPECT_THAT(host.totals(), ElementsAre(0, 0));
}

TEST(ListenDropCounters, CountFromTheCreationOfTheNamespace) {
  ListenDropCounters counters;
  const ListenDropCounters::Clock::time_point created{1h};
  counters.begin(created);
  const std::vector<ListenDropCounters::Listener> one = {
      {.endpoint = {kernel::InetAddress::any(AF_INET), 80, 0}, .drops = 5, .growth = 5}};
  EXPECT_EQ(counters.update(one, {5, 5}, created + 1s).front().total, 5U);
}

TEST(ListenDropCounters, StartAtZeroWithTheDropsOfTheListener) {
  ListenDropCounters counters;
  const ListenDropCounters::Clock::time_point now{1h};
  std::vector<ListenDropCounters::Listener> one = {
      {.endpoint = {kernel::InetAddress::any(AF_INET), 80, 0}}};
  counters.update(one, {0, 0}, now);
  one.front().drops = one.front().growth = 5;
  EXPECT_EQ(counters.update(one, {5, 5}, now + 1s).front().total, 5U);
  counters.update({}, {5, 5}, now + 2s);
  one.front().drops = one.front().growth = 2;  // evicted while it was absent
  EXPECT_EQ(counters.update(one, {7, 7}, now + 3s).front().total, 2U);
}

TEST(ListenDropCounters, SumTheSharesOfEachScrape) {
  TwoListeners host;
  host.scrape({});
  EXPECT_THAT(host.scrape({.drops = {4, 0}, .listen_drops = 4}), ElementsAre(4, 0));
  EXPECT_THAT(host.scrape({.drops = {3, 0}, .listen_drops = 3}), ElementsAre(3, 0));
  EXPECT_THAT(host.totals(), ElementsAre(7, 0));
}

TEST(ListenDropCounters, AttributeDropsToAQueueThatWasFullAtTheBeginOfTheInterval) {
  TwoListeners host;
  host.scrape({.has_full_queue = {true, false}});
  EXPECT_THAT(host.scrape({.drops = {10, 30}, .listen_drops = 10}), ElementsAre(10, 0));
}

// As under TCP_DEFER_ACCEPT: each client is one drop.
TEST(ListenDropCounters, LearnHowManyPacketsAListenerDropsForOtherReasons) {
  TwoListeners host;
  host.scrape({});
  host.scrape({.drops = {100, 0}});
  EXPECT_THAT(host.scrape({.drops = {110, 20}, .listen_drops = 20}), ElementsAre(0, 20));
  EXPECT_THAT(host.scrape({.drops = {210, 20}, .listen_drops = 20, .duration = 2s}),
              ElementsAre(0, 20));
}

TEST(ListenDropCounters, LearnARateThatRises) {
  TwoListeners host;
  host.scrape({});
  host.scrape({.drops = {100, 0}});
  for (int i = 0; i < 20; ++i) {
    host.scrape({.drops = {400, 0}});
  }
  EXPECT_THAT(host.scrape({.drops = {400, 20}, .listen_drops = 20}), ElementsAre(0, 20));
}

TEST(ListenDropCounters, StillSeeTheListenDropsOfAListenerWithOtherDrops) {
  TwoListeners host;
  host.scrape({});
  host.scrape({.drops = {100, 0}});
  EXPECT_THAT(host.scrape({.drops = {600, 0}, .listen_drops = 500}), ElementsAre(500, 0));
}

TEST(ListenDropCounters, DoNotSuspectAListenerWithMoreDropsThanTheNamespace) {
  TwoListeners host;
  host.scrape({.drops = {100'000, 0}});
  EXPECT_THAT(host.scrape({.drops = {100, 5}, .listen_drops = 5}), ElementsAre(0, 5));
}

TEST(ListenDropCounters, OfAListenerDoNotDecreaseWhileItIsAbsent) {
  TwoListeners host;
  host.scrape({});
  host.scrape({.drops = {4, 0}, .listen_drops = 4});
  host.scrape({.is_present = {false, true}});
  EXPECT_THAT(host.scrape({.drops = {1, 0}, .listen_drops = 1}), ElementsAre(1, 0));
  EXPECT_THAT(host.totals(), ElementsAre(5, 0));
}

TEST(ListenDropCounters, DoNotChangeIfTheCounterOfTheKernelIsReset) {
  TwoListeners host;
  host.scrape({});
  host.reset_listen_drops();
  EXPECT_THAT(host.scrape({.drops = {7, 0}, .listen_drops = 7}), ElementsAre(0, 0));
  EXPECT_THAT(host.scrape({.drops = {2, 0}, .listen_drops = 2}), ElementsAre(2, 0));
}

TEST(ListenDropCounters, CountTwoScrapesAtTheSameTime) {
  TwoListeners host;
  host.scrape({});
  EXPECT_THAT(host.scrape({.drops = {3, 0}, .listen_drops = 3, .duration = 0ms}),
              ElementsAre(3, 0));
}

TEST(ListenDropCounters, AttributeNoDropsThatHappenWhileTheSocketsAreRead) {
  ListenDropCounters counters;
  const ListenDropCounters::Clock::time_point now{1h};
  std::vector<ListenDropCounters::Listener> listeners = {
      {.endpoint = {kernel::InetAddress::any(AF_INET), 80, 0}},
      {.endpoint = {kernel::InetAddress::any(AF_INET), 443, 0}}};
  counters.update(listeners, {0, 0}, now);
  // The first listener drops 40 after its drops were read, the second had 5 repeated SYNs.
  listeners[1].drops = listeners[1].growth = 5;
  counters.update(listeners, {0, 40}, now + 1s);
  listeners[0].drops = listeners[0].growth = 40;
  listeners[1].drops += 5;
  const auto shares = counters.update(listeners, {40, 40}, now + 2s);
  EXPECT_EQ(shares[1].total, 0U);
}

TEST(ListenDropCounters, KeepABoundedNumberOfAbsentListeners) {
  ListenDropCounters counters;
  std::uint64_t listen_drops = 0;
  const ListenDropCounters::Clock::time_point now{1h};
  const auto scrape = [&](std::uint32_t address, std::uint64_t drops = 1) {
    kernel::InetAddress ip = kernel::InetAddress::any(AF_INET);
    std::memcpy(ip.bytes.data(), &address, sizeof address);
    const std::vector<ListenDropCounters::Listener> one = {
        {.endpoint = {ip, 80, 0}, .drops = drops, .growth = 1}};
    ++listen_drops;
    return counters.update(one, {listen_drops, listen_drops}, now).front();
  };
  scrape(0);
  for (std::uint32_t address = 1; address <= 10'100; ++address) {
    EXPECT_EQ(scrape(address).total, 1U) << address;
  }
  EXPECT_EQ(scrape(10'100, 2).total, 2U);
}

}  // namespace
}  // namespace inetdiag
