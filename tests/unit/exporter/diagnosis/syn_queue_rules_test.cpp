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

void set_half_open(Listener& listener, double half_open, double capacity = 129) {
  listener.half_open = half_open;
  listener.syn_fill = half_open / capacity;
}

TEST(SynQueues, AreFullIfCookiesAreSent) {
  DiagnosedHost host;
  set_half_open(host.listener(), 129);
  host.grow(metric::cookies_sent, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("full, 129 of 129 places: the kernel answers new "
                                              "SYNs with SYN cookies"));
  EXPECT_THAT(host.first().action, HasSubstr("tcp_max_syn_backlog has no effect"));
  EXPECT_THAT(host.first().limit, HasSubstr("backlog 128"));
}

TEST(SynQueues, AreFullIfCookiesComeBack) {
  DiagnosedHost host;
  set_half_open(host.listener(), 129);
  host.grow(metric::cookies_received, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
}

TEST(SynQueues, AreNotThoseThatSendCookiesIfTheyHaveRoom) {
  DiagnosedHost host;
  set_half_open(host.listener(), 100);
  host.grow(metric::cookies_sent, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_cookies_sent"));
}

TEST(SynQueues, ThatAreNearlyFullDoNotSendTheCookiesOfAFullOne) {
  DiagnosedHost host;
  host.now.listeners.push_back(host.listener());
  host.now.listeners.back().endpoint.port = "8443";
  host.before.listeners.push_back(host.listener_before());
  host.before.listeners.back().endpoint.port = "8443";
  set_half_open(host.now.listeners.front(), 110);
  set_half_open(host.now.listeners.back(), 129);
  host.grow(metric::cookies_sent, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
  EXPECT_THAT(host.first().affected.name, HasSubstr("8443"));
}

TEST(SynQueues, ThatAreNearlyFullDoNotDropTheSynsOfAFullOne) {
  DiagnosedHost host;
  host.now.listeners.push_back(host.listener());
  host.now.listeners.back().endpoint.port = "8443";
  host.before.listeners.push_back(host.listener_before());
  host.before.listeners.back().endpoint.port = "8443";
  set_half_open(host.now.listeners.front(), 110);
  set_half_open(host.now.listeners.back(), 129);
  host.set_in_both(metric::syncookies, 0);
  host.grow(metric::syns_dropped, 10);
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  EXPECT_THAT(host.first().affected.name, HasSubstr("8443"));
}

TEST(SynQueues, AreFullAtTheBacklogOnKernelsBefore2025) {
  DiagnosedHost host;
  for (Listener* listener : {&host.listener(), &host.listener_before()}) {
    listener->backlog = 1;
    set_half_open(*listener, 1, 2);
  }
  host.grow(metric::cookies_sent, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
}

TEST(SynQueues, ThatAreFullForAHandshakeAreNoFinding) {
  DiagnosedHost host;
  set_half_open(host.listener(), 129);
  EXPECT_THAT(host.names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(SynQueues, AreNearlyFullInTwoSnapshots) {
  DiagnosedHost host;
  set_half_open(host.listener(), 104);
  set_half_open(host.listener_before(), 104);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_nearly_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("104 of 129 places"));
  set_half_open(host.listener_before(), 103);
  EXPECT_THAT(host.names(), IsEmpty());
  set_half_open(host.listener_before(), 104);
  set_half_open(host.listener(), 103);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(SynQueues, ThatStayFullSayWhatHappensToTheNextSyn) {
  DiagnosedHost host;
  set_half_open(host.listener(), 129);
  set_half_open(host.listener_before(), 129);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("answers the next SYN with a SYN cookie"));
  host.set_in_both(metric::syncookies, 0);
  EXPECT_THAT(host.first().summary, HasSubstr("drops the next SYN"));
  host.now.values.erase(std::string(metric::syncookies));
  EXPECT_THAT(host.first().summary, HasSubstr("could not be read"));
}

TEST(SynQueues, NameTheCommandThatShowsWhoFillsThem) {
  constexpr const char* command =
      " `inetdiag_exporter sockets --top=peer --port=443 --state=syn_recv` shows which clients are "
      "in it.";
  DiagnosedHost host;
  set_half_open(host.listener(), 104);
  set_half_open(host.listener_before(), 104);
  EXPECT_THAT(host.first().action, EndsWith(command));
  set_half_open(host.listener(), 129);
  EXPECT_THAT(host.first().action, EndsWith(command));
  host.grow(metric::cookies_sent, 10);
  EXPECT_THAT(host.first().action, EndsWith(command));
  host.set_in_both(metric::syncookies, 0);
  host.grow(metric::syns_dropped, 10);
  EXPECT_THAT(host.first().action, EndsWith(command));
}

TEST(SynQueues, AreNoFindingIfShort) {
  DiagnosedHost host;
  for (Listener* listener : {&host.listener(), &host.listener_before()}) {
    listener->backlog = 14;
    set_half_open(*listener, 15, 15);
  }
  EXPECT_THAT(host.names(), IsEmpty());
  for (Listener* listener : {&host.listener(), &host.listener_before()}) {
    listener->backlog = 15;
    set_half_open(*listener, 16, 16);
  }
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
}

TEST(SynQueues, AreCriticalIfSynsAreDropped) {
  DiagnosedHost host;
  host.set_in_both(metric::syncookies, 0);
  set_half_open(host.listener(), 129);
  host.grow(metric::syns_dropped, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  EXPECT_THAT(host.first().action, AllOf(HasSubstr("Set net.ipv4.tcp_syncookies to 1"),
                                         HasSubstr("raise the backlog in the program")));
}

TEST(SynQueues, WithoutCookiesMayBeLimitedByMaxSynBacklog) {
  DiagnosedHost host;
  host.set_in_both(metric::syncookies, 0);
  host.set_in_both(metric::max_syn_backlog, 16);
  set_half_open(host.listener(), 13, 13);
  host.grow(metric::syns_dropped, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical syn_queue_full"));
  EXPECT_THAT(host.first().limit, HasSubstr("net.ipv4.tcp_max_syn_backlog = 16"));
  EXPECT_THAT(host.first().action, AllOf(HasSubstr("raise net.ipv4.tcp_max_syn_backlog"),
                                         Not(HasSubstr("raise the backlog"))));
}

/// A host whose half-open connections stay, because the SYN-ACKs of `retransmitted` were lost.
DiagnosedHost host_with_lost_syn_acks(double half_open, double retransmitted) {
  DiagnosedHost host;
  set_half_open(host.listener_before(), 10);
  set_half_open(host.listener(), half_open);
  host.listener().half_open_retransmitted = retransmitted;
  return host;
}

TEST(UnansweredSynAcks, AreHalfOfTheHalfOpenConnections) {
  const DiagnosedHost host = host_with_lost_syn_acks(20, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_acks_unanswered"));
  EXPECT_THAT(host.first().summary, HasSubstr("10 of 20 half-open connections"));
  EXPECT_THAT(host.first().action, HasSubstr("The backlog is not the cause."));
  EXPECT_EQ(host.first().limit, "");
  EXPECT_THAT(host_with_lost_syn_acks(21, 10).names(), IsEmpty());
}

TEST(UnansweredSynAcks, AreTenAtLeast) {
  EXPECT_THAT(host_with_lost_syn_acks(9, 9).names(), IsEmpty());
}

TEST(UnansweredSynAcks, LastLongerThanOneInterval) {
  DiagnosedHost host = host_with_lost_syn_acks(20, 20);
  set_half_open(host.listener_before(), 9);
  EXPECT_THAT(host.names(), IsEmpty());
  EXPECT_THAT(host.names(false), IsEmpty());
}

// The addresses of a SYN flood are forged: nobody repeats a SYN.
TEST(UnansweredSynAcks, NeedClientsThatRepeatTheirSyns) {
  DiagnosedHost host = host_with_lost_syn_acks(20, 20);
  host.listener().socket_drops = host.listener_before().socket_drops;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UnansweredSynAcks, DoNotTakeListenDropsForRepeatedSyns) {
  DiagnosedHost host = host_with_lost_syn_acks(20, 20);
  host.listener().socket_drops = *host.listener_before().socket_drops + 30;
  host.listener().listen_drops = *host.listener_before().listen_drops + 30;
  host.grow(metric::listen_drops, 30);
  EXPECT_THAT(host.names(), ElementsAre("critical listener_dropping"));
}

TEST(SynCookies, RevealASynQueueThatWasFullBetweenTheSnapshots) {
  DiagnosedHost host;
  host.grow(metric::cookies_sent, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_cookies_sent"));
  EXPECT_THAT(host.first().summary, HasSubstr("sent 1 SYN cookie in the last 10 s"));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(SynCookies, OfAFullSynQueueAreOneFinding) {
  DiagnosedHost host;
  set_half_open(host.listener(), 129);
  host.add_listener("8080");
  host.grow(metric::cookies_sent, 500);
  EXPECT_THAT(host.names(), ElementsAre("warning syn_queue_full"));
}

TEST(DroppedSyns, RevealASynQueueThatWasFullBetweenTheSnapshots) {
  DiagnosedHost host;
  host.set_in_both(metric::syncookies, 0);
  host.grow(metric::syns_dropped, 5);
  EXPECT_THAT(host.names(), ElementsAre("critical syns_dropped"));
  EXPECT_EQ(host.first().affected.kind, "namespace");
  host.grow(metric::syns_dropped, 4);
  EXPECT_THAT(host.names(), ElementsAre("warning syns_dropped"));
}

/// A host that answers every SYN with a cookie.
DiagnosedHost host_with_cookies(double sent, double received) {
  DiagnosedHost host;
  host.set_in_both(metric::syncookies, 2);
  host.grow(metric::cookies_sent, sent);
  host.grow(metric::cookies_received, received);
  set_half_open(host.listener(), 129);
  set_half_open(host.listener_before(), 129);
  return host;
}

TEST(UnansweredCookies, AreMoreThanHalfOfThoseSent) {
  EXPECT_THAT(host_with_cookies(20, 9).names(), ElementsAre("warning syn_cookies_unanswered"));
  EXPECT_THAT(host_with_cookies(20, 9).first().summary, HasSubstr("9 of 20 came back"));
  EXPECT_THAT(host_with_cookies(20, 10).names(), IsEmpty());
}

TEST(UnansweredCookies, NeedTwentySynsAndAPreviousSnapshot) {
  EXPECT_THAT(host_with_cookies(19, 0).names(), IsEmpty());
  EXPECT_THAT(host_with_cookies(20, 0).names(false), IsEmpty());
}

TEST(FastOpen, QueueWasFullIfItsOverflowsGrow) {
  DiagnosedHost host;
  host.grow(metric::fastopen_overflows, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning fastopen_queue_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("was full 1 time in the last 10 s"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_fastopen_overflows", std::optional(1.0))));
  EXPECT_THAT(host.names(false), IsEmpty());
}

}  // namespace
}  // namespace inetdiag::diagnosis
