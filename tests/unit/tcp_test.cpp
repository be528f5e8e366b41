#include "collectors/tcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::TcpState;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<Collector> tcp(const std::string& max_ports = "100") {
  return make_tcp(settings({{"max-ports", max_ports}}));
}

FakeSocket established(std::uint16_t port) {
  return {.address = "10.0.0.5", .port = port, .state = TcpState::established};
}

TEST(Tcp, TellsEveryStateAlways) {
  Surroundings around;
  const auto lines = around.lines(*tcp());
  for (const auto* state : {"established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",
                            "time_wait", "close", "close_wait", "last_ack", "listen", "closing"}) {
    EXPECT_THAT(lines, Contains("inetdiag_tcp_sockets{state=\"" + std::string(state) + "\"} 0"));
  }
}

TEST(Tcp, TellsPortsWithoutListenAndClose) {
  Surroundings around;
  around.kernel.sockets = {{.port = 80}, established(80), established(80), established(40000)};
  const auto lines = around.lines(*tcp());
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="80",state="established"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="other",state="established"} 1)"));
  EXPECT_THAT(lines, Contains("inetdiag_tcp_port_sockets_age_seconds 0"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr(R"(port="80",state="listen")"))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr(R"(port="80",state="close")"))));
}

TEST(Tcp, CountsThePortsBeyondTheMaximumTogether) {
  Surroundings around;
  around.kernel.sockets = {{.port = 80},    {.port = 81},    {.port = 82},    established(81),
                           established(81), established(82), established(80), established(40000)};
  const auto lines = around.lines(*tcp("1"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="81",state="established"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_tcp_port_sockets{port="other",state="established"} 3)"));
  EXPECT_THAT(lines, Not(Contains(StartsWith(R"(inetdiag_tcp_port_sockets{port="80")"))));
}

TEST(Tcp, SumsTheBytesInQueues) {
  Surroundings around;
  around.kernel.sockets = {established(80), established(81)};
  around.kernel.sockets[0].receive_queue = 10;
  around.kernel.sockets[1].receive_queue = 5;
  around.kernel.sockets[1].send_queue = 3;
  const auto lines = around.lines(*tcp());
  EXPECT_THAT(lines, Contains("inetdiag_tcp_receive_queue_bytes 15"));
  EXPECT_THAT(lines, Contains("inetdiag_tcp_send_queue_bytes 3"));
}

}  // namespace
}  // namespace inetdiag
