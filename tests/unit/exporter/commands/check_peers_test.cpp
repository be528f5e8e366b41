#include "exporter/commands/check_peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using diagnosis::Finding;
using kernel::TcpState;
using testing::FakeKernel;
using testing::FakeSocket;
using ::testing::HasSubstr;
using ::testing::Not;

Finding finding_on(const char* kind, const char* port, const char* netns = "") {
  Finding finding{.affected = {.kind = kind, .name = "", .labels = {{"port", port}}}};
  if (*netns != '\0') {
    finding.affected.labels["netns"] = netns;
  }
  return finding;
}

FakeSocket socket_of(std::uint16_t port, const char* peer, TcpState state, std::uint32_t inode) {
  return {.address = "127.0.0.1",
          .port = port,
          .state = state,
          .peer_address = peer,
          .peer_port = 9000,
          .inode = inode};
}

/// A server on port 80 with waiting, half-open and accepted connections, and one on port 81.
FakeKernel busy_host() {
  FakeKernel fake;
  fake.sockets = {{.port = 80},
                  socket_of(80, "10.0.0.1", TcpState::established, 0),
                  socket_of(80, "10.0.0.1", TcpState::close_wait, 0),
                  socket_of(80, "10.0.0.2", TcpState::syn_recv, 0),
                  socket_of(80, "10.0.0.3", TcpState::established, 7),
                  socket_of(80, "10.0.0.4", TcpState::close_wait, 8),
                  socket_of(81, "10.0.0.5", TcpState::syn_recv, 0),
                  // The other end of a connection to port 80 of another host.
                  socket_of(9001, "10.0.0.6", TcpState::established, 0)};
  fake.sockets.back().peer_port = 80;
  return fake;
}

/// In a host with namespaces that are not pinned.
AffectedPeers peers_of(FakeKernel& fake, const std::vector<Finding>& findings) {
  return peers_of_findings(findings, {.namespaces = {{"processes", {}}, {"a\x1b[2J", {}}}},
                           fake.factory());
}

std::string text(FakeKernel& fake, const std::vector<Finding>& findings) {
  return affected_peers_text(peers_of(fake, findings));
}

nlohmann::json json(FakeKernel& fake, const std::vector<Finding>& findings) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  write_affected_peers(writer, peers_of(fake, findings));
  writer.end_object();
  return nlohmann::json::parse(text);
}

TEST(CheckPeers, CountsConnectionsInTheQueuesOfListeners) {
  FakeKernel fake = busy_host();
  EXPECT_EQ(text(fake, {finding_on("listener", "80")}),
            "Peers of the ports above\n"
            "  port 80: 3 connections in the SYN and accept queues, 2 peers\n"
            "             2  10.0.0.1\n"
            "             1  10.0.0.2\n\n");
}

TEST(CheckPeers, CountsAcceptedConnectionsInCloseWaitOfPorts) {
  FakeKernel fake = busy_host();
  EXPECT_EQ(text(fake, {finding_on("port", "80")}),
            "Peers of the ports above\n"
            "  port 80: 1 accepted connection in CLOSE_WAIT, 1 peer\n"
            "             1  10.0.0.4\n\n");
}

TEST(CheckPeers, DumpOnceForAllPorts) {
  FakeKernel fake = busy_host();
  const std::string peers = text(fake, {finding_on("listener", "81"), finding_on("listener", "80"),
                                        finding_on("listener", "81"), finding_on("port", "80")});
  EXPECT_EQ(fake.dumps, 1);
  EXPECT_LT(peers.find("port 81"), peers.find("port 80"));
  EXPECT_EQ(peers.find("port 81"), peers.rfind("port 81"));
}

TEST(CheckPeers, AreOfTcpPortsOnly) {
  FakeKernel fake = busy_host();
  EXPECT_EQ(text(fake, {finding_on("udp_socket", "80"), finding_on("listener", "other"),
                        Finding{.affected = {.kind = "namespace", .name = ""}}}),
            "Peers: no finding has a TCP port.\n\n");
  EXPECT_EQ(fake.dumps, 0);
  EXPECT_EQ(json(fake, {})["peers"], nlohmann::json::array());
}

TEST(CheckPeers, AreTheTopFive) {
  FakeKernel fake;
  for (int i = 1; i <= 9; ++i) {
    const std::string peer = "10.0.0." + std::to_string(i);
    fake.sockets.insert(fake.sockets.end(), static_cast<std::size_t>(i),
                        socket_of(80, peer.c_str(), TcpState::syn_recv, 0));
  }
  const auto document = json(fake, {finding_on("listener", "80")});
  const auto& port = document["peers"][0];
  EXPECT_EQ(port["port"], "80");
  EXPECT_EQ(port["netns"], nullptr);
  EXPECT_EQ(port["counted"], "queues");
  EXPECT_EQ(port["error"], nullptr);
  EXPECT_EQ(port["sockets"], 45);
  EXPECT_EQ(port["exact"], true);
  ASSERT_EQ(port["peers"].size(), 5U);
  EXPECT_EQ(port["peers"][0],
            (nlohmann::json{{"peer", "10.0.0.9"}, {"at_most", 9}, {"at_least", 9}}));
}

TEST(CheckPeers, LimitTheNumberOfPorts) {
  FakeKernel fake = busy_host();
  std::vector<Finding> findings;
  for (int port = 1; port <= 23; ++port) {
    findings.push_back(finding_on("listener", std::to_string(port).c_str()));
  }
  EXPECT_THAT(text(fake, findings), HasSubstr("and 3 more ports"));
}

TEST(CheckPeers, SayWhichNamespaceCannotBeEntered) {
  FakeKernel fake = busy_host();
  const std::vector<Finding> findings = {finding_on("listener", "80", "processes"),
                                         finding_on("listener", "80")};
  EXPECT_THAT(text(fake, findings),
              HasSubstr("  port 80 in namespace processes: unknown: the namespace is not "
                        "pinned; run the command of the finding\n  port 80: 3 connections"));
  const auto document = json(fake, findings);
  EXPECT_EQ(document["peers"][0]["netns"], "processes");
  EXPECT_THAT(document["peers"][0]["error"].get<std::string>(), HasSubstr("is not pinned"));
  EXPECT_FALSE(document["peers"][0].contains("sockets"));
}

TEST(CheckPeers, ReportADumpThatFails) {
  FakeKernel fake = busy_host();
  fake.timed_out_states = mask(TcpState::syn_recv);
  EXPECT_THAT(text(fake, {finding_on("listener", "80")}), HasSubstr("port 80: unknown: timed out"));
}

TEST(CheckPeers, ReplaceControlCharactersInNames) {
  FakeKernel fake;
  EXPECT_THAT(text(fake, {finding_on("listener", "80", "a\x1b[2J")}), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace inetdiag
