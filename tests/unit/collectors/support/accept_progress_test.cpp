#include "collectors/support/accept_progress.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace inetdiag {
namespace {

using namespace std::chrono_literals;
using kernel::WaitingConnections;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const kernel::Endpoint endpoint{kernel::InetAddress::any(AF_INET), 80, 0};

/// Sockets with the cookies 1, 2, 3 and the inodes 101, 102, 103.
struct AcceptProgressTest : ::testing::Test {
  AcceptProgress::Clock::time_point now{1h};
  AcceptProgress progress;
  std::uint64_t watched = 0;

  static std::vector<AcceptProgress::Socket> sockets(const std::vector<std::uint64_t>& waiting) {
    std::vector<AcceptProgress::Socket> sockets;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i] > 0) {
        sockets.push_back({i + 1, static_cast<std::uint32_t>(101 + i), waiting[i]});
      }
    }
    return sockets;
  }

  std::optional<AcceptProgress::Stall> scrape(const std::vector<std::uint64_t>& waiting,
                                              std::uint64_t count, std::uint64_t old,
                                              const AcceptQueueHistory* history = nullptr) {
    now += 10s;
    WaitingConnections connections;
    connections.count = count;
    connections.old = old;
    connections.oldest_cookie = 7;
    connections.watched = watched;
    auto stall = progress.update(endpoint, sockets(waiting), connections, history, now);
    progress.end_round(true, now);
    return stall;
  }
};

TEST_F(AcceptProgressTest, IsUnknownInTheFirstScrape) {
  EXPECT_FALSE(scrape({5}, 5, 0));
  EXPECT_FALSE(progress.has_waited({kernel::InetAddress::any(AF_INET), 81, 0}));
  EXPECT_TRUE(progress.has_waited(endpoint));
}

TEST_F(AcceptProgressTest, NamesTheSocketThatAcceptsNothing) {
  scrape({5}, 5, 0);
  const auto stall = scrape({7}, 7, 5);
  EXPECT_THAT(stall->inodes, ElementsAre(101));
  EXPECT_EQ(stall->longest, 10s);
  EXPECT_EQ(scrape({8}, 8, 7)->longest, 20s);
}

TEST_F(AcceptProgressTest, EndsWithTheFirstConnectionThatIsAccepted) {
  scrape({5}, 5, 0);
  scrape({5}, 5, 5);
  const auto stall = scrape({5}, 5, 4);
  EXPECT_THAT(stall->inodes, IsEmpty());
  EXPECT_EQ(stall->longest, 0s);
}

TEST_F(AcceptProgressTest, NamesTheOneOfThreeThatAcceptsNothing) {
  scrape({0, 5, 0}, 5, 0);
  EXPECT_THAT(scrape({1, 6, 2}, 9, 5)->inodes, ElementsAre(102));
}

TEST_F(AcceptProgressTest, NamesAllThatAcceptNothing) {
  scrape({3, 5, 0}, 8, 0);
  EXPECT_THAT(scrape({3, 6, 2}, 11, 8)->inodes, ElementsAre(101, 102));
}

// Any of the five old connections can be at the first socket.
TEST_F(AcceptProgressTest, NamesNoneIfItIsUncertainWhichOneIsStuck) {
  scrape({1, 5, 0}, 6, 0);
  EXPECT_THAT(scrape({1, 5, 2}, 8, 5)->inodes, IsEmpty());
}

TEST_F(AcceptProgressTest, ExcludesSocketsThatWereEmptyBetweenTheScrapes) {
  AcceptQueueHistory history;
  history.resume(now);
  scrape({1, 5, 0}, 6, 0);
  const auto add = [&](std::uint64_t cookie, std::uint32_t waiting) {
    return kernel::AcceptQueue{
        .endpoint = endpoint, .cookie = cookie, .waiting = waiting, .backlog = 9};
  };
  history.add(now + 1s, std::vector{add(1, 1), add(2, 5)});
  history.add(now + 2s, std::vector{add(2, 5)});
  history.add(now + 3s, std::vector{add(1, 1), add(2, 5)});
  EXPECT_THAT(scrape({1, 5, 2}, 8, 5, &history)->inodes, ElementsAre(102));
}

TEST_F(AcceptProgressTest, ExcludesSocketsWhoseQueueHasFallen) {
  AcceptQueueHistory history;
  history.resume(now);
  scrape({5}, 5, 0);
  const auto add = [&](std::uint32_t waiting) {
    return std::vector{
        kernel::AcceptQueue{.endpoint = endpoint, .cookie = 1, .waiting = waiting, .backlog = 9}};
  };
  history.add(now + 1s, add(5));
  history.add(now + 2s, add(4));
  EXPECT_THAT(scrape({5}, 5, 5, &history)->inodes, IsEmpty());
}

// The kernel removes them from its hash table, but not from the accept queue.
TEST_F(AcceptProgressTest, CountsConnectionsThatHadBeenResetBefore) {
  scrape({5}, 2, 0);
  EXPECT_THAT(scrape({5}, 2, 2)->inodes, ElementsAre(101));
}

TEST_F(AcceptProgressTest, DoesNotCountNewConnectionsThatWereReset) {
  scrape({5}, 5, 0);
  EXPECT_THAT(scrape({5}, 2, 2)->inodes, IsEmpty());
}

// As in the first scrape in which a queue is not empty.
TEST_F(AcceptProgressTest, DoesNotTakeConnectionsThatNobodyReadForReset) {
  scrape({5}, 0, 0);
  EXPECT_THAT(scrape({5}, 3, 3)->inodes, IsEmpty());
}

TEST_F(AcceptProgressTest, IsProvenByTheOldestConnectionIfItStillWaits) {
  scrape({5}, 5, 0);
  EXPECT_THAT(progress.oldest_cookies(), ElementsAre(7));
  watched = 1;
  EXPECT_THAT(scrape({5}, 2, 2)->inodes, ElementsAre(101));
}

// It can wait at any of them.
TEST_F(AcceptProgressTest, IsNotProvenByTheOldestConnectionOfSeveralSockets) {
  scrape({5, 5}, 10, 0);
  watched = 1;
  EXPECT_THAT(scrape({5, 5}, 8, 5)->inodes, IsEmpty());
}

// Those that were reset were ahead of it in the queue.
TEST_F(AcceptProgressTest, IsNotProvenIfFewerConnectionsAreReset) {
  scrape({5}, 2, 0);
  watched = 1;
  EXPECT_THAT(scrape({5}, 4, 2)->inodes, IsEmpty());
}

TEST_F(AcceptProgressTest, CountsTheConnectionsAtTheStalledSockets) {
  scrape({0, 5, 0}, 5, 0);
  EXPECT_EQ(scrape({1, 6, 2}, 9, 5)->waiting, 6);
}

TEST_F(AcceptProgressTest, ComparesWithTheLastScrapeThatReadConnections) {
  scrape({5}, 5, 0);
  now += 10s;
  progress.keep(endpoint, sockets({7}), now);
  progress.end_round(false, now);
  EXPECT_EQ(progress.read_at(), now - 10s);
  EXPECT_EQ(scrape({7}, 7, 5)->longest, 20s);
}

}  // namespace
}  // namespace inetdiag
