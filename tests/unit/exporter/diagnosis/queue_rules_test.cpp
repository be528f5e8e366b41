#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/diagnosed_host.h"

namespace inetdiag::diagnosis {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr std::string_view rcvbuf_errors = metric::udp_buffer_errors[0];
constexpr std::string_view udp6_mem_errors = metric::udp_buffer_errors[3];

/// A host whose UDP sockets at port 53 have a receive buffer this full, now and before.
DiagnosedHost host_with_udp(double now, double before) {
  DiagnosedHost host;
  host.now.udp[0].fill = now;
  host.before.udp[0].fill = before;
  return host;
}

TEST(UdpQueues, AreFullOrNearlyFullInTwoSnapshots) {
  EXPECT_THAT(host_with_udp(0.8, 0.8).names(), ElementsAre("warning udp_buffer_nearly_full"));
  EXPECT_THAT(host_with_udp(1, 0.8).names(), ElementsAre("warning udp_buffer_full"));
  EXPECT_THAT(host_with_udp(0.79, 1).names(), IsEmpty());
}

TEST(UdpQueues, ThatAreFullForABurstAreNoFinding) {
  EXPECT_THAT(host_with_udp(1, 0.79).names(), IsEmpty());
}

TEST(UdpQueues, ThatAreNewOrWithoutAPreviousSnapshotMayBeFull) {
  DiagnosedHost host = host_with_udp(1, 0);
  EXPECT_THAT(host.names(false), ElementsAre("warning udp_buffer_full"));
  host.before.udp.clear();
  EXPECT_THAT(host.names(), ElementsAre("warning udp_buffer_full"));
}

TEST(UdpQueues, DropIfTheBufferWasFull) {
  DiagnosedHost host;
  host.now.udp[0].drops = 9 + 5;
  host.grow(rcvbuf_errors, 5);
  EXPECT_THAT(host.names(), ElementsAre("critical udp_dropping"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_drops", std::optional(5.0))));
  EXPECT_THAT(host.first().summary, HasSubstr("It holds 100 B of 1000 B now"));
  host.now.udp[0].drops = 9 + 1;
  EXPECT_THAT(host.names(), ElementsAre("warning udp_dropping"));
}

TEST(UdpQueues, DropForLackOfUdpMemory) {
  DiagnosedHost host;
  host.now.udp[0].drops = 9 + 5;
  host.grow(udp6_mem_errors, 5);
  EXPECT_THAT(host.names(), ElementsAre("critical udp_dropping"));
}

// By a socket filter, or for a wrong checksum.
TEST(UdpQueues, MayDropForOtherReasons) {
  DiagnosedHost host;
  host.now.udp[0].drops = 1000;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UdpQueues, AreNotAccusedOfTheDropsOfOthers) {
  DiagnosedHost host;
  host.grow(rcvbuf_errors, 20);
  for (Namespace* snapshot : {&host.now, &host.before}) {
    UdpSockets other = snapshot->udp[0];
    other.endpoint.port = "514";
    other.drops = snapshot == &host.now ? 29 : 9;
    snapshot->udp.push_back(other);
  }
  host.now.udp[0].drops = 9 + 20;  // either of the two
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.udp[0].fill = 0.9;
  EXPECT_THAT(host.names(), ElementsAre("critical udp_dropping"));
  EXPECT_EQ(host.first().affected.name, "UDP 0.0.0.0:53");
}

TEST(UdpQueues, AreNoFindingIfTheyDroppedBefore) {
  DiagnosedHost host;
  host.now.udp[0].drops = host.before.udp[0].drops = 1000;
  EXPECT_THAT(host.names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(UdpQueues, NameTheFullestOfSeveralSocketsAndTheOwner) {
  DiagnosedHost host = host_with_udp(1, 1);
  host.now.udp[0].sockets = 4;
  host.now.udp[0].fullest_bytes = 4096;
  host.now.udp[0].fullest_limit_bytes = 2048;
  EXPECT_THAT(host.first().summary, HasSubstr("The fullest receive buffer is full, 4.0 KiB of 2.0 "
                                              "KiB"));
  EXPECT_THAT(host.first().action, HasSubstr("`ss -lunp sport = :53` names the program"));
  host.now.udp[0].owner.unit = "named.service";
  EXPECT_EQ(host.first().affected.name, "UDP 0.0.0.0:53 (named.service)");
  EXPECT_THAT(host.first().action, Not(HasSubstr("ss -lunp")));
}

/// A host with a UNIX listener where connections wait, now and before. Its backlog is 10.
DiagnosedHost host_with_unix_listener(double now, double before) {
  DiagnosedHost host;
  const auto set = [](UnixListener& listener, double waiting) {
    listener.waiting = waiting;
    listener.fill = waiting / 11;
  };
  set(host.now.unix_listeners[0], now);
  set(host.before.unix_listeners[0], before);
  return host;
}

TEST(UnixListeners, AreFullAtOneMoreThanTheBacklog) {
  const DiagnosedHost host = host_with_unix_listener(11, 11);
  EXPECT_THAT(host.names(), ElementsAre("critical unix_queue_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("full, 11 of 11 places (backlog 10)"));
  EXPECT_EQ(host.first().affected.name, "UNIX /run/php.sock");
  EXPECT_THAT(host.names(false), ElementsAre("critical unix_queue_full"));
  EXPECT_THAT(host_with_unix_listener(10, 11).names(),
              ElementsAre("warning unix_queue_nearly_full"));
}

TEST(UnixListeners, ThatAreFullForAMomentAreAWarning) {
  EXPECT_THAT(host_with_unix_listener(11, 3).names(), ElementsAre("warning unix_queue_full"));
  DiagnosedHost host = host_with_unix_listener(1, 1);
  for (Namespace* snapshot : {&host.now, &host.before}) {
    snapshot->unix_listeners[0].backlog = 0;
    snapshot->unix_listeners[0].fill = 1;
  }
  EXPECT_THAT(host.names(), ElementsAre("warning unix_queue_full"));
}

TEST(UnixListeners, AreNearlyFullFromEightyPercent) {
  DiagnosedHost host;
  host.now.unix_listeners[0].fill = 0.8;
  EXPECT_THAT(host.names(), ElementsAre("warning unix_queue_nearly_full"));
  host.now.unix_listeners[0].fill = 0.79;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UnixListeners, AreStuckIfTheirQueueDoesNotFall) {
  EXPECT_THAT(host_with_unix_listener(5, 5).names(), ElementsAre("warning unix_listener_stuck"));
  EXPECT_THAT(host_with_unix_listener(6, 5).names(), ElementsAre("warning unix_listener_stuck"));
  EXPECT_THAT(host_with_unix_listener(5, 6).names(), IsEmpty());
  EXPECT_THAT(host_with_unix_listener(6, 4).names(), IsEmpty());
  EXPECT_THAT(host_with_unix_listener(5, 5).names(false), IsEmpty());
}

TEST(UnixListeners, NameTheLimit) {
  DiagnosedHost host = host_with_unix_listener(11, 11);
  EXPECT_EQ(host.first().limit,
            "backlog 10, set by the program, or by a net.core.somaxconn that was lower when it "
            "called listen() (now 4096)");
  host.set(metric::somaxconn, 10);
  EXPECT_EQ(host.first().limit, "net.core.somaxconn = 10 (the program requested at least that)");
  host.now.values.erase(std::string(metric::somaxconn));
  EXPECT_EQ(host.first().limit, "backlog 10");
}

/// A host whose UNIX socket holds datagrams of connected senders, now and before.
DiagnosedHost host_with_datagrams(double now, double before) {
  DiagnosedHost host;
  host.now.unix_receivers[0].pending_bytes = now;
  host.before.unix_receivers[0].pending_bytes = before;
  return host;
}

TEST(UnixDatagrams, AreUnreadIfTheQueueIsNearlyFullAndDoesNotFall) {
  const DiagnosedHost host = host_with_datagrams(8000, 8000);
  EXPECT_THAT(host.names(), ElementsAre("warning unix_datagrams_unread"));
  EXPECT_EQ(host.first().limit, "net.unix.max_dgram_qlen, when the socket was created (now 10)");
  EXPECT_THAT(host_with_datagrams(8000, 8001).names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(UnixDatagrams, AreNoFindingWhileTheQueueHasRoom) {
  DiagnosedHost host = host_with_datagrams(8000, 8000);
  host.set(metric::max_dgram_qlen, 512);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UnixDatagrams, AreNoFindingIfTheProgramReadThemAll) {
  DiagnosedHost host = host_with_datagrams(8000, 8000);
  host.before.unix_receivers[0].unread = 0;
  EXPECT_THAT(host.names(), IsEmpty());
}

}  // namespace
}  // namespace inetdiag::diagnosis
