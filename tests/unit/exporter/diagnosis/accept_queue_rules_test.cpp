#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/diagnosed_host.h"

namespace inetdiag::diagnosis {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

void fill(Listener& listener, double waiting) {
  listener.waiting = waiting;
  listener.fill = waiting / (listener.backlog + 1);
}

DiagnosedHost host_with_full_queue() {
  DiagnosedHost host;
  fill(host.listener(), 129);
  fill(host.listener_before(), 129);
  return host;
}

TEST(AcceptQueues, AreFullAtOneMoreThanTheBacklog) {
  DiagnosedHost host = host_with_full_queue();
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
  EXPECT_THAT(host.first().summary, AllOf(HasSubstr("full, 129 of 129 places (backlog 128)"),
                                          HasSubstr("the kernel drops the next connection")));
  fill(host.listener(), 128);
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_nearly_full"));
}

TEST(AcceptQueues, ThatAreFullForAMomentAreAWarning) {
  DiagnosedHost host = host_with_full_queue();
  fill(host.listener_before(), 100);
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_full"));
}

TEST(AcceptQueues, ThatAreFullAndDropAreCritical) {
  DiagnosedHost host = host_with_full_queue();
  fill(host.listener_before(), 0);
  host.grow(metric::listen_drops, 3);
  host.listener().listen_drops = 12;
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("the kernel drops new connections"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_listen_drops", std::optional(3.0))));
}

TEST(AcceptQueues, ThatAreFullMayBeTheOnesThatDrop) {
  DiagnosedHost host = host_with_full_queue();
  host.grow(metric::listen_drops, 3);
  EXPECT_THAT(host.first().summary, HasSubstr("the kernel drops new connections"));
  host.listener().socket_drops = host.listener_before().socket_drops;  // another listener drops
  EXPECT_THAT(host.first().summary, HasSubstr("the kernel drops the next connection"));
}

TEST(AcceptQueues, OfABacklogOfZeroAreFullWithOneConnection) {
  DiagnosedHost host;
  for (Listener* listener : {&host.listener(), &host.listener_before()}) {
    listener->backlog = 0;
    fill(*listener, 1);
    listener->half_open = 0;
  }
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_full"));
  EXPECT_THAT(host.names(false), ElementsAre("warning accept_queue_full"));
  host.listener().listen_drops = 10;
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
}

TEST(AcceptQueues, ThatAreFullWithoutAPreviousSnapshotAreCriticalUnlessTheyAreShort) {
  DiagnosedHost host = host_with_full_queue();
  EXPECT_THAT(host.names(false), ElementsAre("critical accept_queue_full"));
  host.listener().backlog = 15;
  EXPECT_THAT(host.names(false), ElementsAre("warning accept_queue_full"));
}

TEST(AcceptQueues, AreNearlyFullFromEightyPercent) {
  DiagnosedHost host;
  host.listener().fill = 0.8;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_nearly_full"));
  host.listener().fill = 0.79;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(AcceptQueues, ThatAreShortAreNearlyFullInBothSnapshots) {
  DiagnosedHost host;
  host.listener().backlog = host.listener_before().backlog = 5;
  host.listener().fill = 0.84;
  EXPECT_THAT(host.names(), IsEmpty());
  host.listener_before().fill = 0.84;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_nearly_full"));
}

TEST(AcceptQueues, SayHowLongClientsHaveWaitedAndWhoGaveUp) {
  DiagnosedHost host = host_with_full_queue();
  host.listener().oldest_seconds = 42;
  EXPECT_THAT(host.first().summary, EndsWith(" The oldest connection has waited for 42 s."));
  host.listener().abandoned = 17;
  EXPECT_THAT(host.first().summary,
              EndsWith("; 17 of 129 clients have already closed their side."));
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));  // not stuck as well
}

TEST(AcceptQueues, NameTheFullestOfSeveralSockets) {
  DiagnosedHost host;
  host.listener().sockets = 4;
  host.listener().waiting = 140;
  host.listener().backlog = 512;
  host.listener().fill = 1;
  host.listener().fullest_waiting = 129;
  host.listener().fullest_backlog = 128;
  const Finding finding = host.first();
  EXPECT_THAT(finding.summary, AllOf(HasSubstr("The fullest of the listener's 4 accept queues"),
                                     HasSubstr("129 of 129 places (backlog 128)")));
  EXPECT_THAT(finding.evidence,
              AllOf(Contains(Pair("sockets", std::optional(4.0))),
                    Contains(Pair("waiting", std::optional(129.0))),
                    Contains(Pair("waiting_at_all_sockets", std::optional(140.0)))));
}

TEST(AcceptQueues, NameOwnerLimitAndSetting) {
  const Finding finding = host_with_full_queue().first();
  EXPECT_EQ(finding.affected.name, "0.0.0.0:443 (haproxy.service)");
  EXPECT_THAT(finding.affected.labels,
              AllOf(Contains(Pair("port", "443")), Contains(Pair("unit", "haproxy.service"))));
  EXPECT_THAT(finding.action, HasSubstr("`backlog N` in the frontend"));
  EXPECT_THAT(finding.action, Not(HasSubstr("ss -ltnp")));
  EXPECT_EQ(finding.limit,
            "backlog 128, set by the program, or by a net.core.somaxconn that was lower when it "
            "called listen() (now 4096)");
}

TEST(AcceptQueues, SayHowToFindAnUnknownOwner) {
  DiagnosedHost host = host_with_full_queue();
  host.listener().owner = {};
  EXPECT_EQ(host.first().affected.name, "0.0.0.0:443");
  EXPECT_THAT(host.first().action, HasSubstr("`ss -ltnp sport = :443` names the program."));
  host.listener().endpoint = {"other", "other", ""};
  EXPECT_THAT(host.first().action, Not(HasSubstr("ss -ltnp")));
}

TEST(AcceptQueues, NameTheCommandThatShowsWhoFillsThem) {
  constexpr const char* command =
      " `inetdiag_exporter sockets --top=peer --port=443 --waiting` shows which clients are in it.";
  DiagnosedHost host = host_with_full_queue();
  EXPECT_THAT(host.first().action, EndsWith(command));
  fill(host.listener(), 110);
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_nearly_full"));
  EXPECT_THAT(host.first().action, EndsWith(command));
  host.listener().endpoint = {"other", "other", ""};
  EXPECT_THAT(host.first().action, Not(HasSubstr("inetdiag_exporter sockets")));
}

/// A host whose listener has connections that wait, at a queue with room.
DiagnosedHost host_with_waiting_clients(double waiting, double oldest_seconds,
                                        std::optional<double> stalled_seconds) {
  DiagnosedHost host;
  fill(host.listener(), waiting);
  host.listener().oldest_seconds = oldest_seconds;
  host.listener().stalled_seconds = stalled_seconds;
  return host;
}

TEST(StuckListeners, AcceptNoneOfTheWaitingConnections) {
  const DiagnosedHost host = host_with_waiting_clients(5, 60, 10);
  EXPECT_THAT(host.names(), ElementsAre("critical listener_stuck"));
  const Finding finding = host.first();
  EXPECT_THAT(finding.summary, HasSubstr("The program accepts no connections: 5 wait in the "
                                         "accept queue, which has room. The oldest connection has "
                                         "waited for 60 s."));
  EXPECT_EQ(finding.limit, "");
  EXPECT_THAT(finding.metric, HasSubstr("oldest_seconds{address=\"0.0.0.0\",port=\"443\"}"));
}

TEST(StuckListeners, NameTheCommandThatShowsWhoWaits) {
  constexpr const char* command = "`inetdiag_exporter sockets --top=peer --port=443 --waiting`";
  EXPECT_THAT(host_with_waiting_clients(5, 60, 10).first().action, HasSubstr(command));
  const DiagnosedHost slow = host_with_waiting_clients(5, 60, 0);
  EXPECT_THAT(slow.names(), ElementsAre("warning accept_queue_slow"));
  EXPECT_THAT(slow.first().action, Not(HasSubstr(command)));
}

TEST(StuckListeners, WithOneWaitingConnectionAreAWarning) {
  const DiagnosedHost host = host_with_waiting_clients(1, 60, 60);
  EXPECT_THAT(host.names(), ElementsAre("warning listener_stuck"));
  EXPECT_THAT(host.first().summary, HasSubstr("1 waits in the accept queue"));
}

TEST(StuckListeners, OfLessThanTwoSecondsAreAWarning) {
  EXPECT_THAT(host_with_waiting_clients(5, 1.9, 1.9).names(),
              ElementsAre("warning listener_stuck"));
  EXPECT_THAT(host_with_waiting_clients(5, 2, 2).names(), ElementsAre("critical listener_stuck"));
}

TEST(StuckListeners, AcceptNothingForMostOfAShortInterval) {
  DiagnosedHost host = host_with_waiting_clients(5, 60, 0.8);
  host.seconds = 1;
  EXPECT_THAT(host.names(), ElementsAre("critical listener_stuck"));
  host.listener().stalled_seconds = 0.7;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_slow"));
}

TEST(StuckListeners, AreKnownWithoutAPreviousSnapshotIfTheCollectorKnows) {
  EXPECT_THAT(host_with_waiting_clients(5, 60, 15).names(false),
              ElementsAre("critical listener_stuck"));
  EXPECT_THAT(host_with_waiting_clients(5, 60, 0).names(false),
              ElementsAre("warning accept_queue_slow"));
  EXPECT_THAT(host_with_waiting_clients(5, 60, std::nullopt).names(false),
              ElementsAre("warning accept_queue_slow"));
}

/// One of four sockets that share a port accepts nothing.
DiagnosedHost host_with_stuck_socket(double oldest_seconds) {
  DiagnosedHost host = host_with_waiting_clients(5, oldest_seconds, oldest_seconds);
  host.listener().sockets = 4;
  host.listener().stalled_sockets = 1;
  host.listener().stalled_sockets_waiting = 5;
  host.listener().stalled_inodes = {"4711"};
  return host;
}

TEST(StuckReuseportMembers, AreNamedByInode) {
  const DiagnosedHost host = host_with_stuck_socket(60);
  EXPECT_THAT(host.names(), ElementsAre("critical reuseport_member_stuck"));
  const Finding finding = host.first();
  EXPECT_THAT(finding.summary,
              AllOf(StartsWith("1 of 4 sockets accepts no connections (inode 4711). "),
                    HasSubstr("about 1 of 4 clients wait"), HasSubstr("waited for 60 s")));
  EXPECT_THAT(finding.action, HasSubstr("`ss -ltnpe sport = :443`"));
}

TEST(StuckReuseportMembers, OfLessThanTwoSecondsAreAWarning) {
  EXPECT_THAT(host_with_stuck_socket(1.9).names(), ElementsAre("warning reuseport_member_stuck"));
}

TEST(StuckReuseportMembers, WithOneWaitingConnectionAreAWarning) {
  DiagnosedHost host = host_with_stuck_socket(60);
  host.listener().stalled_sockets_waiting = 1;
  EXPECT_THAT(host.names(), ElementsAre("warning reuseport_member_stuck"));
}

TEST(StuckReuseportMembers, AreTheListenerIfAllAreStuck) {
  DiagnosedHost host = host_with_stuck_socket(60);
  host.listener().stalled_sockets = 4;
  EXPECT_THAT(host.names(), ElementsAre("critical listener_stuck"));
  EXPECT_THAT(host.first().summary, HasSubstr("wait in the accept queues, which have room"));
}

TEST(StuckReuseportMembers, AreNamedIfTheirQueueIsFullToo) {
  DiagnosedHost host = host_with_full_queue();
  host.listener().sockets = 4;
  host.listener().stalled_sockets = 2;
  host.listener().stalled_inodes = {"4711", "4712"};
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
  EXPECT_THAT(host.first().summary,
              HasSubstr(" 2 of 4 sockets accept no connections (inodes 4711, 4712)."));
}

TEST(AbandonedConnections, AreAcceptedBeforeThoseThatStillWait) {
  DiagnosedHost host = host_with_waiting_clients(20, 30, 0);
  host.listener().abandoned = 10;
  EXPECT_THAT(host.names(), ElementsAre("warning abandoned_connections"));
  EXPECT_THAT(host.first().summary, StartsWith("10 of 20 connections in the accept queue have "
                                               "already been closed by the client"));
  host.listener().abandoned = 9;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_slow"));
  host.listener().stalled_seconds = 30;
  EXPECT_THAT(host.names(), ElementsAre("critical listener_stuck"));
}

TEST(AbandonedConnections, OfAFewClientsAreNotAFindingOfTheirOwn) {
  DiagnosedHost host = host_with_waiting_clients(9, 30, 0);
  host.listener().abandoned = 9;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_slow"));
}

TEST(AbandonedConnections, OfClientsThatWaitedForAMomentAreHealthChecks) {
  DiagnosedHost host = host_with_waiting_clients(20, 0.5, 0);
  host.listener().abandoned = 20;
  EXPECT_THAT(host.names(), IsEmpty());
}

/// A host whose queue was full in 30 of 100 samples of the last 10 s, and is empty now.
DiagnosedHost host_with_bursts() {
  DiagnosedHost host;
  host.seconds = 10;
  host.set_before_and_now(metric::accept_queue_samples, 1000, 1100);
  host.listener_before().full_samples = 5;
  host.listener().full_samples = 35;
  host.listener().peak_fill = 1;
  return host;
}

TEST(Bursts, AreAWarningIfTheQueueWasFullBetweenSnapshots) {
  DiagnosedHost host = host_with_bursts();
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_bursts"));
  EXPECT_EQ(host.first().summary,
            "The accept queue fills in bursts. It has room now. It was full for 3.0 s in the last "
            "10 s.");
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(Bursts, BeforeThePreviousSnapshotAreOver) {
  DiagnosedHost host = host_with_bursts();
  host.listener().full_samples = 5;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Bursts, AreKnownIfTheFirstConnectionWaitedAfterThePreviousSnapshot) {
  DiagnosedHost host = host_with_bursts();
  host.listener_before().full_samples.reset();
  host.listener().full_samples = 10;
  EXPECT_THAT(host.first().summary, HasSubstr("full for 1.0 s"));
}

TEST(Bursts, OfAsManyClientsAsTheQueueHoldsAreNoFinding) {
  DiagnosedHost host = host_with_bursts();
  host.listener().full_samples = 5 + 2;  // 0.2 s
  EXPECT_THAT(host.names(), IsEmpty());
  host.listener().full_samples = 5 + 3;
  EXPECT_THAT(host.names(), ElementsAre("warning accept_queue_bursts"));
  host.seconds = 100;
  host.listener().full_samples = 5 + 0.4;  // less than 0.5 %
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Bursts, ThatLeaveRoomAreNoFinding) {
  DiagnosedHost host = host_with_bursts();
  host.listener().peak_fill = 0.999;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Bursts, OfAShortQueueAreNoFinding) {
  DiagnosedHost host = host_with_bursts();
  host.listener().backlog = 15;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Bursts, AreNoFindingIfTheExporterWasRestarted) {
  DiagnosedHost host = host_with_bursts();
  host.set_before_and_now(metric::accept_queue_samples, 1000, 50);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(DroppingListeners, SayForHowLongTheQueueWasFull) {
  DiagnosedHost host = host_with_bursts();
  host.listener().listen_drops = 9 + 50;
  host.grow(metric::listen_overflows, 50);
  EXPECT_THAT(host.names(), ElementsAre("critical listener_dropping"));
  EXPECT_THAT(host.first().summary, EndsWith(" It was full for 3.0 s in the last 10 s."));
}

TEST(SlowListeners, AcceptConnectionsThatHaveWaitedForASecond) {
  EXPECT_THAT(host_with_waiting_clients(5, 1, 0).names(), ElementsAre("warning accept_queue_slow"));
  EXPECT_THAT(host_with_waiting_clients(5, 0.99, 0).names(), IsEmpty());
  EXPECT_THAT(host_with_waiting_clients(5, 0.99, 0.99).names(), IsEmpty());
}

TEST(DroppingListeners, AreCriticalFromFiveDropsAndHalfADropPerSecond) {
  DiagnosedHost host;
  host.listener().listen_drops = 9 + 5;
  EXPECT_THAT(host.names(), ElementsAre("critical listener_dropping"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_listen_drops", std::optional(5.0))));
  EXPECT_THAT(host.first().summary, HasSubstr("dropped 5 SYNs or final ACKs in the last 10 s"));
  host.seconds = 10.1;
  EXPECT_THAT(host.names(), ElementsAre("warning listener_dropping"));
  host.seconds = 1;
  host.listener().listen_drops = 9 + 4;
  EXPECT_THAT(host.names(), ElementsAre("warning listener_dropping"));
}

TEST(DroppingListeners, NeedListenDrops) {
  DiagnosedHost host;
  host.listener().socket_drops = 100'000;  // bare ACKs under TCP_DEFER_ACCEPT
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(DroppingListeners, AreNotThoseThatDroppedBefore) {
  DiagnosedHost host;
  host.listener().listen_drops = host.listener_before().listen_drops = 1'000'000;
  EXPECT_THAT(host.names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
}

// The collector keeps the count of an endpoint while no program listens on it.
TEST(DroppingListeners, AreNotThoseThatReturnAndDroppedBefore) {
  DiagnosedHost host;
  host.before.listeners.clear();
  host.listener().listen_drops = 1'000'000;
  EXPECT_THAT(host.names(), IsEmpty());
  host.grow(metric::listen_drops, 20);
  EXPECT_THAT(host.names(), ElementsAre("critical listen_drops"));
}

TEST(DroppingListeners, FillInBurstsIfAnAcceptQueueOverflowed) {
  DiagnosedHost host;
  host.listener().listen_drops = 12;
  EXPECT_THAT(host.first().summary, HasSubstr("no accept queue overflowed"));
  host.grow(metric::listen_overflows, 3);
  EXPECT_THAT(host.first().summary, HasSubstr("fills in bursts"));
}

TEST(DroppingListeners, DroppedSynsIfOnlyTheSynQueueWasFull) {
  DiagnosedHost host;
  host.set_in_both(metric::syncookies, 0);
  host.grow(metric::syns_dropped, 6);
  host.grow(metric::listen_drops, 6);
  host.listener().listen_drops = 15;
  EXPECT_THAT(host.names(), ElementsAre("critical syns_dropped"));
  EXPECT_THAT(host.first().summary, HasSubstr("dropped 6 SYNs in the last 10 s: its SYN queue"));
}

TEST(DroppingListeners, AreNotAccusedOfTheDropsOfAFullSynQueue) {
  DiagnosedHost host;
  host.set_in_both(metric::syncookies, 0);
  host.listener().half_open = 129;
  host.listener().syn_fill = 1;
  host.listener().listen_drops = 39;
  host.grow(metric::syns_dropped, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_listen_drops", std::optional(30.0))));
}

TEST(CookiesAndFullAcceptQueue, AreOneCriticalFinding) {
  DiagnosedHost host = host_with_full_queue();
  host.listener().half_open = 110;
  host.listener().syn_fill = 110.0 / 129;
  host.grow(metric::cookies_sent, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical cookies_and_full_accept_queue"));
  EXPECT_THAT(host.first().summary, HasSubstr("believe that they are connected"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_cookies", std::optional(30.0))));
}

TEST(CookiesAndFullAcceptQueue, AreTwoFindingsIfTheCookiesAreOfAnotherListener) {
  DiagnosedHost host = host_with_full_queue();
  host.grow(metric::cookies_sent, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full", "warning syn_cookies_sent"));
}

TEST(CookiesAndFullAcceptQueue, NeedCookiesThatAreSentOnlyWhenFull) {
  DiagnosedHost host = host_with_full_queue();
  host.listener().half_open = 129;
  host.listener().syn_fill = 1;
  host.set_in_both(metric::syncookies, 2);
  host.grow(metric::cookies_sent, 30);
  host.grow(metric::cookies_received, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
}

TEST(ListenDrops, ThatNoListenerMadeForCertainNameTheCandidates) {
  DiagnosedHost host;
  host.add_listener("8080").socket_drops = 112;
  host.grow(metric::listen_drops, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical listen_drops"));
  EXPECT_EQ(host.first().affected.kind, "namespace");
  EXPECT_EQ(host.first().summary,
            "The kernel dropped 30 SYNs or final ACKs in the last 10 s. The counters do not show "
            "at which listener. Candidates: 0.0.0.0:443 (up to 30), 0.0.0.0:8080 (up to 12).");
}

TEST(ListenDrops, NameThreeCandidatesAtMost) {
  DiagnosedHost host;
  for (const char* port : {"8001", "8002", "8003", "8004"}) {
    host.add_listener(port).socket_drops = 150;
  }
  host.grow(metric::listen_drops, 30);
  EXPECT_THAT(host.first().summary, EndsWith("(up to 30) and 2 more."));
}

TEST(ListenDrops, OfAListenerThatHasClosedHaveNoCandidate) {
  DiagnosedHost host;
  host.listener().socket_drops = host.listener_before().socket_drops;
  host.grow(metric::listen_drops, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical listen_drops"));
  EXPECT_THAT(host.first().summary, HasSubstr("at a listener that has closed since"));
}

TEST(ListenDrops, AreNotReportedIfAListenerExplainsThem) {
  DiagnosedHost host;
  host.grow(metric::listen_drops, 100);
  host.listener().listen_drops = 9 + 81;  // the sockets were read earlier than the counter
  EXPECT_THAT(host.names(), ElementsAre("critical listener_dropping"));
  host.listener().listen_drops = 9 + 80;
  EXPECT_THAT(host.names(), ElementsAre("critical listener_dropping", "critical listen_drops"));
}

TEST(ListenDrops, AreNotReportedIfTheyAreFewerThanThree) {
  DiagnosedHost host;
  host.grow(metric::listen_drops, 2);
  EXPECT_THAT(host.names(), IsEmpty());
  host.grow(metric::listen_drops, 3);
  EXPECT_THAT(host.names(), ElementsAre("warning listen_drops"));
}

TEST(ListenDrops, AreNotReportedWhileAQueueIsFull) {
  DiagnosedHost host = host_with_full_queue();
  host.grow(metric::listen_drops, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical accept_queue_full"));
}

TEST(AbortOnOverflow, IsAWarningIfAnAcceptQueueOverflows) {
  DiagnosedHost host;
  host.set_in_both(metric::abort_on_overflow, 1);
  EXPECT_THAT(host.names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
  host.grow(metric::listen_overflows, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning abort_on_overflow"));
  host.set(metric::abort_on_overflow, 0);
  EXPECT_THAT(host.names(), IsEmpty());
}

}  // namespace
}  // namespace inetdiag::diagnosis
