#include "exporter/commands/sockets.h"

#include <array>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/commands/atomic_file.h"
#include "tests/unit/support/diag_messages.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::TcpState;
using testing::FakeKernel;
using testing::FakeSocket;
using testing::TemporaryTree;

std::string output(const kernel::NetlinkFactory& open, const SocketsOptions& options) {
  const TemporaryTree tree;
  FILE* file = std::fopen(tree.path("out").c_str(), "w+");
  list_sockets(open, options, ::fileno(file));
  std::rewind(file);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), file)) {
    text.append(part.data(), n);
  }
  std::fclose(file);
  return text;
}

std::string list(FakeKernel& fake, const SocketsOptions& options) {
  return output(fake.factory(), options);
}

FakeKernel two_sockets() {
  FakeKernel fake;
  fake.sockets = {
      {.address = "0.0.0.0", .port = 443, .receive_queue = 3, .send_queue = 4096},
      {.address = "2001:db8:1111:2222:3333:4444:5555:6666",
       .port = 65535,
       .state = TcpState::close_wait,
       .receive_queue = 4294967295,
       .send_queue = 1},
  };
  return fake;
}

TEST(Sockets, PrintsATable) {
  FakeKernel fake = two_sockets();
  EXPECT_EQ(
      list(fake, {}),
      "STATE       RECV-Q  SEND-Q  LOCAL                         PEER\n"
      "listen      3       4096    0.0.0.0:443                   0.0.0.0:*\n"
      "close_wait  4294967295 1       [2001:db8:1111:2222:3333:4444:5555:6666]:65535 [::]:*\n");
}

TEST(Sockets, PrintsAJsonObjectPerLine) {
  FakeKernel fake = two_sockets();
  EXPECT_EQ(list(fake, {.format = SocketsFormat::json}),
            R"({"state":"listen","local_address":"0.0.0.0","local_port":443,)"
            R"("peer_address":"0.0.0.0","peer_port":0,"device":null,"receive_queue":3,)"
            R"("send_queue":4096,"uid":0,"inode":0})"
            "\n"
            R"({"state":"close_wait","local_address":"[2001:db8:1111:2222:3333:4444:5555:6666]",)"
            R"("local_port":65535,"peer_address":"[::]","peer_port":0,"device":null,)"
            R"("receive_queue":4294967295,"send_queue":1,"uid":0,"inode":0})"
            "\n");
}

FakeKernel sockets_with_info() {
  const kernel::TcpInfo info{.rtt_us = 12'300,
                             .rtt_variation_us = 500,
                             .unacknowledged = 2,
                             .congestion_window = 10,
                             .total_retransmissions = 5,
                             .last_sent_ms = 1500,
                             .last_received_ms = 20};
  FakeKernel fake;
  fake.sockets = {{.address = "10.0.0.1",
                   .port = 443,
                   .state = TcpState::established,
                   .timer = 1,
                   .peer_address = "10.0.0.2",
                   .peer_port = 1024,
                   .retransmissions = 3,
                   .info = info,
                   .timer_ms = 1200},
                  {.address = "10.0.0.1",
                   .port = 443,
                   .state = TcpState::time_wait,
                   .timer = 3,
                   .peer_address = "10.0.0.2",
                   .peer_port = 1025,
                   .timer_ms = 59'000},
                  {.address = "10.0.0.1", .port = 443, .state = TcpState::established, .timer = 9}};
  return fake;
}

TEST(Sockets, PrintsTimersAndTcpInfo) {
  FakeKernel fake = sockets_with_info();
  EXPECT_EQ(
      list(fake, {.info = true}),
      "STATE       RECV-Q  SEND-Q  LOCAL                         PEER                          "
      "TIMER                   RETRANS RTT     CWND\n"
      "established 0       0       10.0.0.1:443                  10.0.0.2:1024                 "
      "on,1200ms,3             3/5     12.3ms  10\n"
      "time_wait   0       0       10.0.0.1:443                  10.0.0.2:1025                 "
      "timewait,59000ms,0      -       -       -\n"
      "established 0       0       10.0.0.1:443                  0.0.0.0:*                     "
      "-                       -       -       -\n");
}

TEST(Sockets, PrintsTimersAndTcpInfoAsJson) {
  FakeKernel fake = sockets_with_info();
  const std::string lines = list(fake, {.format = SocketsFormat::json, .info = true});
  EXPECT_THAT(lines,
              ::testing::HasSubstr(
                  R"("inode":0,"timer":"retransmission","timer_seconds":1.2,"retransmissions":3,)"
                  R"("info":{"rtt_seconds":0.0123,"rtt_variation_seconds":0.0005,)"
                  R"("total_retransmissions":5,"unacknowledged":2,"congestion_window":10,)"
                  R"("last_sent_seconds":1.5,"last_received_seconds":0.02}})"));
  EXPECT_THAT(lines,
              ::testing::HasSubstr(R"("timer":"time_wait","timer_seconds":59,"retransmissions":0,)"
                                   R"("info":null})"));
  EXPECT_THAT(lines, ::testing::HasSubstr(R"("timer":null,"timer_seconds":0,)"));
}

TEST(Sockets, CountsSocketsByState) {
  FakeKernel fake = two_sockets();
  fake.sockets.push_back(fake.sockets.front());
  EXPECT_EQ(list(fake, {.summary = true}),
            R"({"schema_version":1,"sockets":3,"states":{"established":0,"syn_sent":0,)"
            R"("syn_recv":0,"fin_wait1":0,"fin_wait2":0,"time_wait":0,"close":0,"close_wait":1,)"
            R"("last_ack":0,"listen":2,"closing":0}})"
            "\n");
}

TEST(Sockets, PrintsOnlyTheHeaderWithoutSockets) {
  FakeKernel fake;
  EXPECT_EQ(list(fake, {}), "STATE       RECV-Q  SEND-Q  LOCAL                         PEER\n");
}

FakeSocket connection(const char* peer, TcpState state = TcpState::established,
                      std::uint32_t inode = 1) {
  const bool is_v6 = std::string_view(peer).find(':') != std::string_view::npos;
  return {.address = is_v6 ? "::1" : "127.0.0.1",
          .port = 443,
          .state = state,
          .peer_address = peer,
          .peer_port = 1024,
          .inode = inode};
}

FakeKernel connected_sockets() {
  FakeKernel fake = two_sockets();
  for (const char* peer : {"10.0.0.5", "10.0.0.6", "::ffff:10.0.0.5", "2001:db8::1", "10.0.0.5",
                           "2001:db8::2", "10.0.1.9", "2001:db8::2"}) {
    fake.sockets.push_back(connection(peer));
  }
  return fake;
}

TEST(Sockets, PrintsTheTopPeers) {
  FakeKernel fake = connected_sockets();
  EXPECT_EQ(list(fake, {.top = TopOf::peer, .top_count = 3}),
            "SOCKETS   AT LEAST   SHARE  PEER\n"
            "3         3          37.5%  10.0.0.5\n"
            "2         2          25.0%  2001:db8::2\n"
            "1         1          12.5%  10.0.0.6\n"
            "8 sockets, 5 peers\n");
  EXPECT_EQ(fake.dumps, 1);
}

TEST(Sockets, PrintsTheTopNetworks) {
  FakeKernel fake = connected_sockets();
  EXPECT_EQ(list(fake, {.top = TopOf::network}),
            "SOCKETS   AT LEAST   SHARE  NETWORK\n"
            "4         4          50.0%  10.0.0.0/24\n"
            "3         3          37.5%  2001:db8::/64\n"
            "1         1          12.5%  10.0.1.0/24\n"
            "8 sockets, 3 networks\n");
}

TEST(Sockets, PrintsTheTopPeersAsJson) {
  FakeKernel fake = connected_sockets();
  EXPECT_EQ(list(fake, {.format = SocketsFormat::json, .top = TopOf::peer, .top_count = 1}),
            R"({"schema_version":1,"top":"peer","sockets":8,"exact":true,"max_error":0,)"
            R"("peers":[{"peer":"10.0.0.5","at_most":3,"at_least":3}]})"
            "\n");
}

TEST(Sockets, PrintsTheErrorOfCountsIfThereAreManyPeers) {
  constexpr int peers = 20'000;  // more than counters
  FakeKernel fake;
  for (int i = 0; i < peers; ++i) {
    const std::string peer = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    fake.sockets.push_back(connection(peer.c_str()));
  }
  fake.sockets.insert(fake.sockets.begin() + peers / 2, 3, connection("192.0.2.1"));
  const std::string table = list(fake, {.top = TopOf::peer, .top_count = 1});
  EXPECT_THAT(table, ::testing::HasSubstr("3         3           0.0%  192.0.2.1\n"));
  EXPECT_THAT(table, ::testing::EndsWith("20003 sockets, more than 16384 peers: a count may be up "
                                         "to 1 too high\n"));
}

TEST(Sockets, HasNoTopPeersWithoutConnections) {
  FakeKernel fake = two_sockets();
  fake.sockets.pop_back();
  EXPECT_EQ(list(fake, {.top = TopOf::peer}),
            "SOCKETS   AT LEAST   SHARE  PEER\n0 sockets, 0 peers\n");
}

TEST(Sockets, ListsOnlyConnectionsThatWaitForAccept) {
  FakeKernel fake;
  fake.sockets = {connection("10.0.0.1"), connection("10.0.0.2", TcpState::established, 0),
                  connection("10.0.0.3", TcpState::close_wait, 0),
                  connection("10.0.0.4", TcpState::time_wait, 0),
                  connection("10.0.0.5", TcpState::syn_recv, 0)};
  EXPECT_EQ(list(fake, {.waiting = true, .top = TopOf::peer}),
            "SOCKETS   AT LEAST   SHARE  PEER\n"
            "1         1          50.0%  10.0.0.2\n"
            "1         1          50.0%  10.0.0.3\n"
            "2 sockets, 2 peers\n");
}

TEST(Sockets, PrintsTheDestinationsWithTheFewestPortsLeft) {
  const TemporaryTree proc;
  proc.write("sys/net/ipv4/ip_local_port_range", "1000 1009\n");
  const auto outgoing = [](std::uint16_t port, const char* peer) {
    return FakeSocket{.address = "10.0.0.1",
                      .port = port,
                      .state = TcpState::established,
                      .peer_address = peer,
                      .peer_port = 443};
  };
  FakeKernel fake;
  fake.sockets = {{.port = 1009},
                  outgoing(1000, "10.0.0.8"),
                  outgoing(1001, "10.0.0.9"),
                  outgoing(1002, "10.0.0.9"),
                  outgoing(1009, "10.0.0.9"),
                  outgoing(2000, "10.0.0.9")};
  EXPECT_EQ(list(fake, {.procfs = proc.root(), .top = TopOf::destination}),
            "AT MOST   AT LEAST    FILL  SOURCE                  DESTINATION\n"
            "2         2          22.2%  10.0.0.1                10.0.0.9:443\n"
            "1         1          11.1%  10.0.0.1                10.0.0.8:443\n"
            "9 usable ports (net.ipv4.ip_local_port_range)\n");
  EXPECT_EQ(list(fake, {.procfs = proc.root(),
                        .format = SocketsFormat::json,
                        .top = TopOf::destination,
                        .top_count = 1}),
            R"({"schema_version":1,"top":"destination","usable_ports":9,"exact":true,)"
            R"("destinations":[{"source":"10.0.0.1","destination":"10.0.0.9:443",)"
            R"("at_most":2,"at_least":2}]})"
            "\n");
}

TEST(Sockets, FailsWithoutTheRangeOfEphemeralPorts) {
  const TemporaryTree proc;
  FakeKernel fake;
  EXPECT_THROW(list(fake, {.procfs = proc.root(), .top = TopOf::destination}), std::runtime_error);
}

/// Replays one datagram for each payload.
kernel::NetlinkFactory replay(const std::vector<testing::Bytes>& payloads) {
  std::deque<testing::Bytes> datagrams;
  for (const testing::Bytes& payload : payloads) {
    datagrams.push_back(testing::data_message(payload));
  }
  datagrams.push_back(testing::done_message());
  return
      [datagrams](int /*protocol*/) { return std::make_unique<testing::ReplayNetlink>(datagrams); };
}

TEST(Sockets, CountsNoPeersOfMalformedMessages) {
  const testing::Bytes valid = connection("10.0.0.5").payload();
  std::vector<testing::Bytes> payloads = {valid};
  for (std::size_t size = 0; size < sizeof(inet_diag_msg); ++size) {
    payloads.emplace_back(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(size));
  }
  testing::Bytes unknown_family = valid;
  unknown_family[0] = std::byte{99};
  testing::Bytes unknown_state = valid;
  unknown_state[1] = std::byte{99};
  testing::Bytes trailing = valid;
  trailing.resize(trailing.size() + 1000, std::byte{0xff});
  payloads.insert(payloads.end(), {unknown_family, unknown_state, trailing});
  EXPECT_EQ(output(replay(payloads), {.top = TopOf::peer}),
            "SOCKETS   AT LEAST   SHARE  PEER\n"
            "2         2         100.0%  10.0.0.5\n"
            "2 sockets, 1 peer\n");
}

TEST(Sockets, StopsIfTheReaderCloses) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  const kernel::UniqueFd writer(ends[1]);
  FakeKernel fake = two_sockets();
  EXPECT_THROW(list_sockets(fake.factory(), {}, writer.get()), BrokenPipe);
  std::signal(SIGPIPE, before);
}

TEST(Sockets, RejectsPathsAsNamespaceNames) {
  FakeKernel fake;
  for (const char* name : {".", "..", "../self", "/proc/self/ns/net"}) {
    EXPECT_THROW(list_sockets(fake.factory(), {.netns = name, .netns_directories = {"/run/netns"}},
                              STDOUT_FILENO),
                 std::invalid_argument)
        << name;
  }
  EXPECT_EQ(fake.dumps, 0);
}

}  // namespace
}  // namespace inetdiag
