#include "collectors/kernel/netlink/tcp_table.h"

#include <gtest/gtest.h>

#include "tests/unit/support/diag_messages.h"
#include "tests/unit/support/soon.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::slot;
using kernel::TcpState;
using kernel::TcpTable;

FakeSocket syn(const std::string& address, std::uint16_t port = 80, std::uint32_t device = 0) {
  return {
      .address = address, .port = port, .state = TcpState::syn_recv, .device = device, .timer = 1};
}

/// Returns the listener of a request socket: `address`, `address%device` or `none`.
std::string listener_of(std::vector<FakeSocket> listeners, const FakeSocket& request) {
  FakeKernel kernel{.sockets = std::move(listeners)};
  kernel.sockets.push_back(request);
  TcpTable table(kernel.factory(), soon());
  const auto& queues = table.partial_dump().syn_queue;
  if (queues.empty()) {
    return "none";
  }
  const auto& endpoint = queues.begin()->first;
  return endpoint.address.text() +
         (endpoint.device == 0 ? "" : "%" + std::to_string(endpoint.device));
}

TEST(SynQueue, PrefersTheExactAddress) {
  EXPECT_EQ(listener_of({{.address = "0.0.0.0"}, {.address = "10.0.0.5"}}, syn("10.0.0.5")),
            "10.0.0.5");
  EXPECT_EQ(listener_of({{.address = "0.0.0.0"}, {.address = "10.0.0.5"}}, syn("10.0.0.6")),
            "0.0.0.0");
  EXPECT_EQ(listener_of({{.address = "::"}, {.address = "2001:db8::1"}}, syn("2001:db8::1")),
            "[2001:db8::1]");
}

TEST(SynQueue, MatchesDualStackListenersForBothFamilies) {
  EXPECT_EQ(listener_of({{.address = "::"}}, syn("::ffff:10.0.0.5")), "[::]");
  EXPECT_EQ(listener_of({{.address = "::"}}, syn("10.0.0.5")), "[::]");
  EXPECT_EQ(listener_of({{.address = "::"}}, syn("2001:db8::1")), "[::]");
}

TEST(SynQueue, DoesNotMatchV6OnlyListenersForIpv4) {
  EXPECT_EQ(listener_of({{.address = "::", .v6_only = true}}, syn("::ffff:10.0.0.5")), "none");
  EXPECT_EQ(
      listener_of({{.address = "::", .v6_only = true}, {.address = "0.0.0.0"}}, syn("10.0.0.5")),
      "0.0.0.0");
}

TEST(SynQueue, DoesNotMatchIpv4ListenersForIpv6) {
  EXPECT_EQ(listener_of({{.address = "0.0.0.0"}}, syn("2001:db8::1")), "none");
}

TEST(SynQueue, MatchesAMappedAddress) {
  EXPECT_EQ(
      listener_of({{.address = "::ffff:10.0.0.5"}, {.address = "::"}}, syn("::ffff:10.0.0.5")),
      "[::ffff:10.0.0.5]");
}

TEST(SynQueue, MatchesTheMappedWildcard) {
  EXPECT_EQ(listener_of({{.address = "::ffff:0.0.0.0"}}, syn("::ffff:10.0.0.5")),
            "[::ffff:0.0.0.0]");
}

TEST(SynQueue, PrefersTheListenerOfTheDevice) {
  const std::vector<FakeSocket> listeners = {{.address = "0.0.0.0"},
                                             {.address = "0.0.0.0", .device = 2}};
  EXPECT_EQ(listener_of(listeners, syn("10.0.0.5", 80, 2)), "0.0.0.0%2");
  EXPECT_EQ(listener_of(listeners, syn("10.0.0.5", 80, 3)), "0.0.0.0");
  EXPECT_EQ(listener_of(listeners, syn("10.0.0.5")), "0.0.0.0");
}

TEST(SynQueue, MatchesThePort) {
  EXPECT_EQ(listener_of({{.address = "0.0.0.0", .port = 81}}, syn("10.0.0.5")), "none");
}

std::string text_of(const kernel::Endpoint& endpoint) {
  return endpoint.address.text() + ":" + std::to_string(endpoint.port);
}

TEST(SynQueue, CountsRequestsWithARetransmittedSynAck) {
  FakeSocket repeated = syn("10.0.0.5");
  repeated.retransmissions = 2;
  FakeSocket other_port = syn("10.0.0.5", 81);
  other_port.retransmissions = 1;
  FakeKernel kernel{.sockets = {{.port = 80}, syn("10.0.0.5"), repeated, repeated, other_port}};
  TcpTable table(kernel.factory(), soon());
  const auto& partial = table.partial_dump();
  ASSERT_EQ(partial.syn_queue_retransmitted.size(), 1U);
  EXPECT_EQ(text_of(partial.syn_queue_retransmitted.begin()->first), "0.0.0.0:80");
  EXPECT_EQ(partial.syn_queue_retransmitted.begin()->second, 2U);
  EXPECT_EQ(partial.syn_queue.begin()->second, 3U);
}

/// A connection attempt whose SYN was retransmitted.
FakeSocket repeated_syn(const std::string& from, const std::string& to, std::uint16_t port) {
  return {.address = from,
          .port = 40000,
          .state = TcpState::syn_sent,
          .timer = 1,
          .full = true,
          .peer_address = to,
          .peer_port = port,
          .inode = 7,
          .retransmissions = 1};
}

std::uint64_t unanswered_syns(std::vector<FakeSocket> sockets) {
  FakeKernel kernel{.sockets = std::move(sockets)};
  TcpTable by_partial_dump(kernel.factory(), soon());
  TcpTable by_full_dump(kernel.factory(), soon());
  const auto count = by_partial_dump.partial_dump().syn_sent_retransmitted;
  EXPECT_EQ(by_full_dump.full_dump().partial.syn_sent_retransmitted, count);
  return count;
}

TEST(SynSent, CountsConnectionsWhoseSynWasRetransmitted) {
  FakeSocket first_try = repeated_syn("10.0.0.5", "10.0.0.9", 80);
  first_try.retransmissions = 0;
  FakeSocket lossy = repeated_syn("10.0.0.5", "10.0.0.9", 80);
  lossy.state = TcpState::established;
  EXPECT_EQ(unanswered_syns({repeated_syn("10.0.0.5", "10.0.0.9", 80), first_try, lossy}), 1U);
}

TEST(SynSent, ExcludesConnectionsToOwnListeners) {
  EXPECT_EQ(unanswered_syns({{.port = 80}, repeated_syn("127.0.0.1", "127.0.0.1", 80)}), 0U);
  EXPECT_EQ(unanswered_syns({{.address = "::"}, repeated_syn("10.0.0.5", "10.0.0.5", 80)}), 0U);
}

TEST(SynSent, IncludesConnectionsToTheSamePortOfAnotherHost) {
  EXPECT_EQ(unanswered_syns({{.port = 80}, repeated_syn("10.0.0.5", "10.0.0.9", 80)}), 1U);
}

TEST(SynSent, IncludesConnectionsToAnOwnAddressWithoutAListener) {
  EXPECT_EQ(unanswered_syns(
                {{.address = "10.0.0.6", .port = 80}, repeated_syn("10.0.0.5", "10.0.0.5", 80)}),
            1U);
}

/// A connection that no program has accepted.
FakeSocket unaccepted(const std::string& address, std::uint32_t age_ms, std::uint16_t port = 80,
                      TcpState state = TcpState::established) {
  return {.address = address, .port = port, .state = state, .full = true, .last_sent_ms = age_ms};
}

std::map<std::string, kernel::WaitingConnections> waiting_at(std::vector<FakeSocket> sockets,
                                                             std::vector<std::uint16_t> ports,
                                                             int old_age_ms = 1000) {
  FakeKernel kernel{.sockets = std::move(sockets)};
  TcpTable table(kernel.factory(), soon());
  std::map<std::string, kernel::WaitingConnections> waiting;
  for (const auto& [endpoint, connections] :
       table.waiting_connections(std::move(ports), std::chrono::milliseconds(old_age_ms), {})) {
    waiting[text_of(endpoint)] = connections;
  }
  return waiting;
}

TEST(WaitingConnections, AreCountedByListener) {
  const auto waiting = waiting_at({{.address = "0.0.0.0"},
                                   {.address = "10.0.0.5"},
                                   {.address = "10.0.0.5", .port = 81},
                                   unaccepted("10.0.0.5", 10),
                                   unaccepted("10.0.0.5", 20),
                                   unaccepted("10.0.0.6", 30),
                                   unaccepted("10.0.0.5", 40, 81)},
                                  {80, 81});
  ASSERT_EQ(waiting.size(), 3U);
  EXPECT_EQ(waiting.at("10.0.0.5:80").count, 2U);
  EXPECT_EQ(waiting.at("0.0.0.0:80").count, 1U);
  EXPECT_EQ(waiting.at("10.0.0.5:81").count, 1U);
}

TEST(WaitingConnections, OfBothFamiliesBelongToADualStackListener) {
  const auto waiting = waiting_at(
      {{.address = "::"}, unaccepted("::ffff:10.0.0.5", 10), unaccepted("2001:db8::1", 20)}, {80});
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.at("[::]:80").count, 2U);
}

TEST(WaitingConnections, HaveAnAge) {
  const auto waiting = waiting_at({{.port = 80},
                                   unaccepted("10.0.0.5", 999),
                                   unaccepted("10.0.0.5", 4000),
                                   unaccepted("10.0.0.5", 1000)},
                                  {80}, 1000);
  EXPECT_EQ(waiting.at("0.0.0.0:80").oldest, std::chrono::milliseconds(4000));
  EXPECT_EQ(waiting.at("0.0.0.0:80").old, 2U);
}

/// Returns the cookie of the oldest of connections with these ages; their cookies are 1, 2, 3...
std::uint64_t oldest_cookie(const std::vector<std::uint32_t>& ages) {
  std::vector<FakeSocket> sockets = {{.port = 80, .cookie = 100}};
  for (const std::uint32_t age : ages) {
    sockets.push_back(unaccepted("10.0.0.5", age));
    sockets.back().cookie = sockets.size() - 1;
  }
  return waiting_at(std::move(sockets), {80}).at("0.0.0.0:80").oldest_cookie;
}

TEST(WaitingConnections, HaveAnOldestOneIfNoOtherIsNearlyAsOld) {
  EXPECT_EQ(oldest_cookie({1000, 4000, 2000}), 2U);
  EXPECT_EQ(oldest_cookie({4000}), 1U);
  EXPECT_EQ(oldest_cookie({3979, 4000}), 2U);
  EXPECT_EQ(oldest_cookie({4000, 3979}), 1U);
  for (const std::vector<std::uint32_t>& burst :
       {std::vector<std::uint32_t>{4000, 4000}, {3980, 4000}, {4000, 3980}, {3970, 3985, 4000}}) {
    EXPECT_EQ(oldest_cookie(burst), 0U);
  }
}

TEST(WaitingConnections, AreRecognisedByTheirCookies) {
  FakeKernel kernel{.sockets = {{.port = 80, .cookie = 100},
                                unaccepted("10.0.0.5", 10),
                                unaccepted("10.0.0.5", 20)}};
  kernel.sockets[1].cookie = 7;
  kernel.sockets[2].cookie = 8;
  TcpTable table(kernel.factory(), soon());
  const auto waiting = table.waiting_connections({80}, std::chrono::seconds(1), {7, 9});
  EXPECT_EQ(waiting.begin()->second.watched, 1U);
}

// A FIN takes one place of the sequence space.
TEST(WaitingConnections, HaveDataBesideTheFin) {
  std::vector<FakeSocket> sockets = {{.port = 80},
                                     unaccepted("10.0.0.5", 10),
                                     unaccepted("10.0.0.5", 10),
                                     unaccepted("10.0.0.5", 10, 80, TcpState::close_wait),
                                     unaccepted("10.0.0.5", 10, 80, TcpState::close_wait)};
  sockets[2].receive_queue = 1;
  sockets[3].receive_queue = 1;
  sockets[4].receive_queue = 2;
  EXPECT_EQ(waiting_at(std::move(sockets), {80}).at("0.0.0.0:80").with_data, 2U);
}

TEST(WaitingConnections, IncludeThoseThatThePeerHasClosed) {
  const auto waiting = waiting_at({{.port = 80},
                                   unaccepted("10.0.0.5", 10),
                                   unaccepted("10.0.0.5", 5000, 80, TcpState::close_wait)},
                                  {80});
  EXPECT_EQ(waiting.at("0.0.0.0:80").count, 2U);
  EXPECT_EQ(waiting.at("0.0.0.0:80").closed_by_peer, 1U);
}

TEST(WaitingConnections, ExcludeConnectionsOfAProgram) {
  FakeSocket accepted = unaccepted("10.0.0.5", 5000);
  accepted.inode = 7;
  FakeSocket leaked = unaccepted("10.0.0.5", 5000, 80, TcpState::close_wait);
  leaked.inode = 8;
  // An outgoing connection to the port of a listener passes the filter too.
  FakeSocket outgoing = unaccepted("10.0.0.5", 5000, 40000);
  outgoing.peer_port = 80;
  EXPECT_TRUE(waiting_at({{.port = 80}, accepted, leaked, outgoing}, {80}).empty());
}

TEST(WaitingConnections, ExcludeHalfOpenAndClosingOnes) {
  EXPECT_TRUE(waiting_at({{.port = 80},
                          syn("10.0.0.5"),
                          unaccepted("10.0.0.5", 5000, 80, TcpState::fin_wait1),
                          unaccepted("10.0.0.5", 5000, 80, TcpState::last_ack)},
                         {80})
                  .empty());
}

TEST(WaitingConnections, WithoutTcpInfoHaveNoAgeAndAreNotCounted) {
  FakeSocket unknown = unaccepted("10.0.0.5", 0);
  unknown.last_sent_ms.reset();
  EXPECT_TRUE(waiting_at({{.port = 80}, unknown}, {80}).empty());
}

TEST(WaitingConnections, AreRequestedForTheGivenPortsOnly) {
  const auto waiting = waiting_at(
      {{.port = 80}, {.port = 81}, unaccepted("10.0.0.5", 10, 80), unaccepted("10.0.0.5", 10, 81)},
      {81});
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.begin()->first, "0.0.0.0:81");
}

TEST(WaitingConnections, AreNotReadIfThePolicyForbidsIt) {
  FakeKernel kernel{.sockets = {{.port = 80}, unaccepted("10.0.0.5", 10)}};
  TcpTable table(kernel.factory(), soon(), {.allows_waiting_connections = false});
  EXPECT_THROW(table.waiting_connections({80}, std::chrono::seconds(1), {}), kernel::DumpNotDue);
  EXPECT_FALSE(table.has_read_waiting_connections());
  EXPECT_EQ(kernel.dumps, 0);
}

TEST(WaitingConnections, CountAsReadEvenIfTheDumpTimesOut) {
  FakeKernel kernel{.sockets = {{.port = 80}, unaccepted("10.0.0.5", 10)}};
  kernel.timed_out_states = kernel::mask(TcpState::established);
  TcpTable table(kernel.factory(), soon());
  EXPECT_THROW(table.waiting_connections({80}, std::chrono::seconds(1), {}),
               kernel::DeadlineExceeded);
  EXPECT_TRUE(table.has_read_waiting_connections());
}

TEST(TcpTable, CountsStatesPortsAndBytes) {
  FakeKernel kernel{.sockets = {
                        {.address = "0.0.0.0", .port = 80, .receive_queue = 5, .send_queue = 128},
                        {.address = "::", .port = 80, .send_queue = 128},
                        {.address = "10.0.0.5",
                         .port = 80,
                         .state = TcpState::established,
                         .receive_queue = 100,
                         .send_queue = 7},
                        {.address = "::1", .port = 80, .state = TcpState::established},
                        {.address = "10.0.0.5", .port = 40000, .state = TcpState::time_wait},
                        {.address = "10.0.0.5", .port = 40001, .state = TcpState::close},
                    }};
  TcpTable table(kernel.factory(), soon());
  const auto& full_dump = table.full_dump();
  EXPECT_EQ(full_dump.partial.by_state[slot(TcpState::listen)], 2U);
  EXPECT_EQ(full_dump.partial.by_state[slot(TcpState::established)], 2U);
  EXPECT_EQ(full_dump.partial.by_state[slot(TcpState::time_wait)], 1U);
  EXPECT_EQ(full_dump.partial.by_state[slot(TcpState::close)], 1U);
  ASSERT_EQ(full_dump.by_listening_port.size(), 1U);
  EXPECT_EQ(full_dump.by_listening_port.at(80).by_state[slot(TcpState::established)], 2U);
  EXPECT_EQ(full_dump.without_listener.by_state[slot(TcpState::time_wait)], 1U);
  EXPECT_EQ(full_dump.without_listener.by_state[slot(TcpState::close)], 0U);
  // The queues of a listener count connections, not bytes.
  EXPECT_EQ(full_dump.receive_queue_bytes, 100U);
  EXPECT_EQ(full_dump.send_queue_bytes, 7U);
}

TEST(TcpTable, CountsConnectionsThatDoNotMove) {
  const auto connection = [](std::uint8_t timer, std::uint8_t retransmissions,
                             TcpState state = TcpState::established, std::uint32_t timer_ms = 200) {
    return FakeSocket{.port = 80,
                      .state = state,
                      .timer = timer,
                      .retransmissions = retransmissions,
                      .timer_ms = timer_ms};
  };
  FakeKernel kernel{.sockets = {{.port = 80},
                                connection(1, 1),
                                connection(1, 2),
                                connection(1, 3, TcpState::close_wait),
                                connection(1, 3, TcpState::syn_sent),
                                connection(1, 3, TcpState::last_ack),
                                connection(2, 0),
                                connection(2, 1),
                                connection(4, 0),  // or TCP_CORK
                                connection(4, 1),
                                connection(4, 0, TcpState::established, 1000),
                                connection(4, 0, TcpState::established, 1001),
                                connection(4, 0, TcpState::established, 4294967290),  // expired
                                connection(4, 5, TcpState::fin_wait1),
                                connection(5, 9)}};
  TcpTable table(kernel.factory(), soon());
  const auto& at_80 = table.full_dump().by_listening_port.at(80);
  EXPECT_EQ(at_80.retransmitting, 2U);
  EXPECT_EQ(at_80.keepalive_unanswered, 1U);
  EXPECT_EQ(at_80.probing_window, 2U);
  EXPECT_EQ(at_80.unread, 0U);
}

TEST(TcpTable, CountsConnectionsThatTheProgramDoesNotRead) {
  FakeKernel kernel{
      .sockets = {
          {.port = 80, .receive_queue = 1},
          {.port = 80,
           .state = TcpState::established,
           .receive_queue = 100,
           .send_queue = 7,
           .inode = 1},
          {.port = 80, .state = TcpState::established, .receive_queue = 300},  // waits for accept()
          {.port = 80,
           .state = TcpState::close_wait,
           .receive_queue = 1,  // the FIN
           .send_queue = 9,
           .inode = 2},
          {.port = 40000, .state = TcpState::established, .receive_queue = 5, .inode = 3}}};
  TcpTable table(kernel.factory(), soon());
  const auto& full_dump = table.full_dump();
  EXPECT_EQ(full_dump.by_listening_port.at(80).unread, 1U);
  EXPECT_EQ(full_dump.by_listening_port.at(80).longest_receive_queue, 300U);
  EXPECT_EQ(full_dump.by_listening_port.at(80).longest_send_queue, 9U);
  EXPECT_EQ(full_dump.without_listener.unread, 1U);
}

TEST(TcpTable, PartialDumpExcludesEstablishedAndTimeWait) {
  FakeKernel kernel{.sockets = {{.port = 80},
                                {.state = TcpState::established},
                                {.state = TcpState::time_wait, .timer = 3},
                                {.state = TcpState::fin_wait2, .timer = 3},
                                {.state = TcpState::fin_wait2},
                                {.state = TcpState::close_wait}}};
  TcpTable table(kernel.factory(), soon());
  const auto& partial = table.partial_dump();
  EXPECT_EQ(partial.by_state[slot(TcpState::listen)], 1U);
  EXPECT_EQ(partial.by_state[slot(TcpState::established)], 0U);
  EXPECT_EQ(partial.by_state[slot(TcpState::time_wait)], 0U);
  EXPECT_EQ(partial.by_state[slot(TcpState::fin_wait2)], 2U);
  EXPECT_EQ(partial.by_state[slot(TcpState::close_wait)], 1U);
  EXPECT_EQ(partial.timewait_in_fin_wait2, 1U);
}

TEST(TcpTable, MakesEachDumpOnce) {
  FakeKernel kernel{.sockets = {{.port = 80}}};
  TcpTable table(kernel.factory(), soon());
  table.listeners();
  table.partial_dump();
  table.partial_dump();
  EXPECT_EQ(kernel.dumps, 2);
  table.full_dump();
  table.full_dump();
  EXPECT_EQ(kernel.dumps, 3);
}

TEST(TcpTable, TakesThePartialDumpFromTheFullDump) {
  FakeKernel kernel{.sockets = {{.port = 80}, syn("10.0.0.5")}};
  TcpTable table(kernel.factory(), soon());
  table.full_dump();
  EXPECT_EQ(table.partial_dump().syn_queue.size(), 1U);
  EXPECT_EQ(kernel.dumps, 2);
}

TEST(TcpTable, MakesAPartialDumpIfTheFullDumpTimedOut) {
  FakeKernel kernel{.sockets = {{.port = 80}, syn("10.0.0.5")}};
  kernel.timed_out_states = kernel::mask(TcpState::established);
  TcpTable table(kernel.factory(), soon());
  EXPECT_THROW(table.full_dump(), kernel::DeadlineExceeded);
  EXPECT_EQ(table.partial_dump().syn_queue.size(), 1U);
}

TEST(TcpTable, RepeatsTheErrorWithoutAnotherDump) {
  int dumps = 0;
  TcpTable table(
      [&](int /*protocol*/) {
        ++dumps;
        return std::make_unique<ReplayNetlink>(std::deque{error_message(-ENOENT)});
      },
      soon());
  EXPECT_THROW(table.listeners(), std::system_error);
  EXPECT_THROW(table.listeners(), std::system_error);
  EXPECT_THROW(table.partial_dump(), std::system_error);
  EXPECT_THROW(table.full_dump(), std::system_error);
  EXPECT_EQ(dumps, 1);
}

TEST(TcpTable, IgnoresMalformedSockets) {
  TcpTable table(
      [](int /*protocol*/) {
        return std::make_unique<ReplayNetlink>(std::deque{
            data_message(Bytes(10)), data_message(FakeSocket{}.payload()), done_message()});
      },
      soon());
  EXPECT_EQ(table.listeners().size(), 1U);
}

TEST(TcpTable, MakesNoDumpThatIsNotDue) {
  FakeKernel kernel{.sockets = {{.port = 80}, syn("10.0.0.5")}};
  TcpTable table(kernel.factory(), soon(), {.is_due = false});
  EXPECT_THROW(table.partial_dump(), kernel::DumpNotDue);
  EXPECT_THROW(table.full_dump(), kernel::DumpNotDue);
  EXPECT_EQ(kernel.dumps, 0);
  EXPECT_EQ(table.listeners().size(), 1U);
  EXPECT_EQ(table.partial_dump_if_taken(), nullptr);
}

TEST(TcpTable, ReturnsTheLastPartialDumpIfNoneIsDue) {
  FakeKernel kernel{.sockets = {{.port = 80}, syn("10.0.0.5")}};
  auto last = std::make_shared<kernel::PartialDump>();
  last->by_state[slot(TcpState::close_wait)] = 7;
  TcpTable table(kernel.factory(), soon(), {.is_due = false, .last = last});
  EXPECT_EQ(table.partial_dump().by_state[slot(TcpState::close_wait)], 7U);
  EXPECT_EQ(kernel.dumps, 0);
  EXPECT_EQ(table.partial_dump_if_taken(), nullptr);
}

TEST(TcpTable, ReportsWhetherItMadeAPartialDump) {
  FakeKernel kernel{.sockets = {{.port = 80}, syn("10.0.0.5")}};
  TcpTable table(kernel.factory(), soon());
  EXPECT_EQ(table.partial_dump_if_taken(), nullptr);
  table.partial_dump();
  ASSERT_NE(table.partial_dump_if_taken(), nullptr);
  EXPECT_EQ(table.partial_dump_if_taken()->syn_queue.size(), 1U);
}

}  // namespace
}  // namespace inetdiag
