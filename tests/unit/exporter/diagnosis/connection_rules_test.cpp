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
using ::testing::Pair;

/// A host with sockets in CLOSE_WAIT at port 443, now and before.
DiagnosedHost host_with_close_wait(double now, double before) {
  DiagnosedHost host;
  host.listener().waiting = host.listener_before().waiting = 0;
  host.now.ports[0].close_wait = now;
  host.before.ports[0].close_wait = before;
  return host;
}

/// A host with 100 open connections at port 443, and another 100 outgoing ones.
struct HostWithPorts : DiagnosedHost {
  HostWithPorts() {
    now.ports = {{.port = "443", .established = 99, .close_wait = 1, .all = 100},
                 {.port = "outgoing", .established = 100, .all = 100}};
    before.ports = now.ports;
  }

  void set(std::size_t port, double PortSockets::*member, double previous, double value) {
    before.ports[port].*member = previous;
    now.ports[port].*member = value;
  }
};

TEST(StalledConnections, AreOutOfReachIfAFifthRetransmits) {
  HostWithPorts host;
  host.set(1, &PortSockets::retransmitting, 20, 20);
  EXPECT_THAT(host.names(), ElementsAre("warning peers_unreachable"));
  EXPECT_EQ(host.first().affected.name, "outgoing connections");
  EXPECT_EQ(host.first().metric,
            R"(inetdiag_tcp_port_stalled_sockets{port="outgoing",reason="retransmission"})");
  host.set(1, &PortSockets::retransmitting, 19, 90);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(1, &PortSockets::retransmitting, 90, 19);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(1, &PortSockets::retransmitting, 20, 20);
  host.now.ports[1].established = 101;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(StalledConnections, OfClientsAreNotable) {
  HostWithPorts host;
  host.set(0, &PortSockets::retransmitting, 30, 30);
  EXPECT_THAT(host.names(), ElementsAre("notice peers_unreachable"));
  EXPECT_EQ(host.first().affected.name, "port 443");
  host.set(0, &PortSockets::retransmitting, 0, 0);
  host.set(0, &PortSockets::probing_window, 30, 30);
  EXPECT_THAT(host.names(), ElementsAre("notice peers_not_reading"));
  EXPECT_THAT(host.first().action, HasSubstr("Normal for players"));
}

TEST(StalledConnections, OfPortsBeyondTheMaximumAreThoseOfClients) {
  HostWithPorts host;
  host.now.ports[1].port = host.before.ports[1].port = "other";
  host.set(1, &PortSockets::retransmitting, 30, 30);
  EXPECT_THAT(host.names(), ElementsAre("notice peers_unreachable"));
  EXPECT_EQ(host.first().affected.name, "port other");
}

TEST(StalledConnections, NeedAPreviousSnapshotOfThePort) {
  HostWithPorts host;
  host.set(0, &PortSockets::retransmitting, 50, 50);
  EXPECT_THAT(host.names(false), IsEmpty());
  host.before.ports.erase(host.before.ports.begin());
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(StalledConnections, OfAnOlderDumpProveNothing) {
  HostWithPorts host;
  host.set(0, &PortSockets::retransmitting, 50, 50);
  host.now.values[std::string(metric::port_sockets_age)] = host.seconds;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UnreadConnections, AreThoseOfAProgramThatReadsNothing) {
  HostWithPorts host;
  PortSockets& port = host.now.ports[0];
  port.unread = 80;
  port.unread_unchanged_seconds = 10;
  EXPECT_THAT(host.names(), ElementsAre("warning program_not_reading"));
  EXPECT_THAT(host.first().action, Not(HasSubstr("--interval")));
  port.unread_unchanged_seconds = 9.9;
  EXPECT_THAT(host.names(), ElementsAre("notice program_not_reading"));
  EXPECT_THAT(host.first().action,
              HasSubstr("Confirm it with `inetdiag_exporter check --interval"));
  port.unread_unchanged_seconds = 0.8;
  EXPECT_THAT(host.names(), IsEmpty());
  port.unread_unchanged_seconds = 600;
  port.unread = 79;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UnreadConnections, OfAnOldDumpProveNothing) {
  HostWithPorts host;
  host.now.ports[0].unread = 80;
  host.now.ports[0].unread_unchanged_seconds = 10;
  host.now.values[std::string(metric::port_sockets_age)] = 299;
  EXPECT_THAT(host.names(), ElementsAre("warning program_not_reading"));
  host.now.values[std::string(metric::port_sockets_age)] = 300;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(UnreadConnections, OfAPoolMayHoldAGreeting) {
  HostWithPorts host;
  host.now.ports[1].unread = 100;
  host.now.ports[1].unread_unchanged_seconds = 10;
  EXPECT_THAT(host.names(), ElementsAre("notice program_not_reading"));
}

TEST(UnreadConnections, AreFewOnASmallHost) {
  HostWithPorts host;
  host.now.ports[0].established = host.now.ports[0].unread = 19;
  host.now.ports[0].unread_unchanged_seconds = 10;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(FailedConnects, AreMostOfThoseThatWereOpened) {
  DiagnosedHost host;
  host.grow(metric::active_opens, 100);
  host.set_before_and_now(metric::attempt_fails, 1000, 1075);
  host.set_before_and_now(metric::embryonic_resets, 10, 10);
  EXPECT_THAT(host.names(), ElementsAre("warning connects_failing"));
  EXPECT_THAT(host.first().summary, HasSubstr("75 outgoing connections failed"));
  host.set(metric::attempt_fails, 1074);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(FailedConnects, OfAFewChecksAreNoProblem) {
  DiagnosedHost host;
  host.seconds = 60;
  host.set_before_and_now(metric::active_opens, 1000, 1059);
  host.set_before_and_now(metric::attempt_fails, 1000, 1059);
  host.set_before_and_now(metric::embryonic_resets, 10, 10);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::active_opens, 1060);
  host.set(metric::attempt_fails, 1060);
  EXPECT_THAT(host.names(), ElementsAre("warning connects_failing"));
}

TEST(FailedConnects, AreNotResetsOfClients) {
  DiagnosedHost host;
  host.set_before_and_now(metric::attempt_fails, 1000, 1500);
  host.set_before_and_now(metric::embryonic_resets, 10, 500);
  host.set_before_and_now(metric::active_opens, 1000, 1020);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::embryonic_resets, 480);
  EXPECT_THAT(host.names(), ElementsAre("warning connects_failing"));
  host.set(metric::active_opens, 1019);
  EXPECT_THAT(host.names(), IsEmpty()) << "clients can reset connections of TCP Fast Open too";
}

TEST(CloseWait, IsALeakIfAHundredSocketsStay) {
  const DiagnosedHost host = host_with_close_wait(100, 100);
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
  EXPECT_EQ(host.first().affected.name, "port 443");
  EXPECT_EQ(host.first().metric, "inetdiag_tcp_port_sockets{port=\"443\",state=\"close_wait\"}");
  EXPECT_THAT(host_with_close_wait(100, 99).names(), IsEmpty());
  EXPECT_THAT(host_with_close_wait(99, 100).names(), IsEmpty());
}

TEST(CloseWait, NeedsAPreviousSnapshot) {
  EXPECT_THAT(host_with_close_wait(5000, 5000).names(false), IsEmpty());
  DiagnosedHost host = host_with_close_wait(5000, 0);
  host.before.ports.clear();
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(CloseWait, AtAnOutgoingPortIsALeakOfAClient) {
  DiagnosedHost host;
  host.now.ports[1].close_wait = host.before.ports[1].close_wait = 500;
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
  EXPECT_EQ(host.first().affected.name, "outgoing connections");
  EXPECT_THAT(host.first().action, HasSubstr("connection pool"));
}

TEST(CloseWait, OfConnectionsThatWaitForAcceptIsNoLeak) {
  DiagnosedHost host = host_with_close_wait(120, 120);
  host.listener().waiting = 30;
  EXPECT_THAT(host.names(), IsEmpty());
  host.listener().endpoint.port = host.listener_before().endpoint.port = "80";
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
}

// 300 connections per second close within a moment: 500 of them may be other ones each time.
TEST(CloseWait, ProvesLessOnABusyHost) {
  DiagnosedHost host = host_with_close_wait(500, 500);
  host.grow(metric::passive_opens, 3000);
  EXPECT_THAT(host.names(), IsEmpty());
  host = host_with_close_wait(1000, 1000);
  host.grow(metric::passive_opens, 10'000);
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
  host.grow(metric::passive_opens, 100'000);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(CloseWait, NeedsMoreSocketsIfTheRateOfConnectionsIsUnknown) {
  DiagnosedHost host = host_with_close_wait(999, 999);
  host.now.values.erase(std::string(metric::passive_opens));
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.ports[0].close_wait = host.before.ports[0].close_wait = 1000;
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
}

TEST(CloseWait, IsCountedForTheNamespaceIfPortsAreUnknown) {
  DiagnosedHost host;
  host.now.ports.clear();
  host.now.values.erase(std::string(metric::port_sockets_age));
  host.now.tcp_states["close_wait"] = host.before.tcp_states["close_wait"] = 101;
  EXPECT_THAT(host.names(), ElementsAre("warning many_close_wait"));
  EXPECT_EQ(host.first().affected.kind, "namespace");
  host.listener().waiting = 2;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(CloseWait, IsCountedForTheNamespaceIfBothSnapshotsHaveTheSameDump) {
  DiagnosedHost host;
  host.now.ports[0].close_wait = host.before.ports[0].close_wait = 500;
  host.set(metric::port_sockets_age, 10);
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.tcp_states["close_wait"] = host.before.tcp_states["close_wait"] = 500;
  EXPECT_EQ(host.first().affected.kind, "namespace");
}

TEST(StalledCloses, AreAHundredThatRetransmitAndWereClosingBefore) {
  DiagnosedHost host;
  host.set(metric::stalled_closes, 100);
  host.before.tcp_states["fin_wait1"] = 60;
  host.before.tcp_states["last_ack"] = 40;
  EXPECT_THAT(host.names(), ElementsAre("warning closing_stalled"));
  EXPECT_THAT(host.first().evidence, Contains(Pair("stalled", std::optional(100.0))));
  EXPECT_THAT(host.names(false), IsEmpty());
  host.set(metric::stalled_closes, 99);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(StalledCloses, AreNotConnectionsThatHaveJustClosed) {
  DiagnosedHost host;
  host.set(metric::stalled_closes, 100);
  host.before.tcp_states["fin_wait1"] = 60;
  host.before.tcp_states["last_ack"] = 39;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(StalledCloses, AreNotSlowDownloads) {
  DiagnosedHost host;
  host.now.tcp_states["fin_wait1"] = host.before.tcp_states["fin_wait1"] = 1000;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Retransmissions, AreAWarningFromFivePercent) {
  DiagnosedHost host;
  host.grow(metric::retransmitted_segments, 600);
  EXPECT_THAT(host.names(), ElementsAre("warning retransmissions"));
  EXPECT_THAT(host.first().summary,
              HasSubstr("retransmitted 595 segments in the last 10 s, 5 % of all that it sent"));
  host.grow(metric::sent_segments, 100'000);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Retransmissions, AreFiftyAtLeast) {
  DiagnosedHost host;
  host.grow(metric::sent_segments, 100);
  host.grow(metric::loss_probes, 0);
  host.grow(metric::syn_retransmissions, 0);
  host.grow(metric::retransmitted_segments, 49);
  EXPECT_THAT(host.names(), IsEmpty());
  host.grow(metric::retransmitted_segments, 50);
  EXPECT_THAT(host.names(), ElementsAre("warning retransmissions"));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(Retransmissions, DoNotIncludeSyns) {
  DiagnosedHost host;
  host.grow(metric::retransmitted_segments, 5000);
  host.grow(metric::syn_retransmissions, 5000);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(Retransmissions, DoNotIncludeNeedlessTailLossProbes) {
  DiagnosedHost host;
  host.grow(metric::retransmitted_segments, 5000);
  host.grow(metric::loss_probes, 5000);
  host.grow(metric::duplicate_sacks, 5000);
  EXPECT_THAT(host.names(), IsEmpty());
  host.grow(metric::duplicate_sacks, 1000);
  EXPECT_THAT(host.names(), ElementsAre("warning retransmissions"));
}

TEST(SynSent, AFewUnansweredAreANoticeManyAreAWarning) {
  DiagnosedHost host;
  host.set(metric::syn_sent_retransmitted, 19);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::syn_sent_retransmitted, 20);
  EXPECT_THAT(host.names(), ElementsAre("notice syn_sent_waiting"));
  EXPECT_EQ(host.first().affected.name, "this host (outgoing connections)");
  host.set(metric::syn_sent_retransmitted, 200);  // a fifth of the established connections
  EXPECT_THAT(host.names(), ElementsAre("warning syn_sent_waiting"));
}

TEST(SynSent, AreNoFindingUntilTheirSynIsSentAgain) {
  DiagnosedHost host;
  host.now.tcp_states["syn_sent"] = 10'000;
  EXPECT_THAT(host.names(), IsEmpty());
}

}  // namespace
}  // namespace inetdiag::diagnosis
