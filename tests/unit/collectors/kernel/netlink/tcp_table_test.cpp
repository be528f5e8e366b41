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
  EXPECT_EQ(full_dump.by_listening_port.at(80)[slot(TcpState::established)], 2U);
  EXPECT_EQ(full_dump.without_listener[slot(TcpState::time_wait)], 1U);
  EXPECT_EQ(full_dump.without_listener[slot(TcpState::close)], 0U);
  // The queues of a listener count connections, not bytes.
  EXPECT_EQ(full_dump.receive_queue_bytes, 100U);
  EXPECT_EQ(full_dump.send_queue_bytes, 7U);
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
      [&] {
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
      [] {
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
