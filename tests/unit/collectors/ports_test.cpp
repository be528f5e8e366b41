#include "collectors/ports.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::TcpState;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A host with ten ephemeral ports.
struct Client : CollectorFixture {
  std::unique_ptr<Collector> collector = make_ports(settings({{"destinations", "3"}}));

  Client() {
    proc_tree.write("sys/net/ipv4/ip_local_port_range", "1000 1009\n");
    has_full_dump = true;
  }

  void connect(std::uint16_t port, const std::string& peer = "10.0.0.9",
               std::uint16_t peer_port = 443, TcpState state = TcpState::established,
               const std::string& source = "10.0.0.5") {
    kernel.sockets.push_back({.address = source,
                              .port = port,
                              .state = state,
                              .peer_address = peer,
                              .peer_port = peer_port});
  }

  void reuse_time_wait(const std::string& mode) const {
    proc_tree.write("sys/net/ipv4/tcp_tw_reuse", mode + "\n");
  }

  std::vector<std::string> scrape() { return lines(*collector); }
};

std::string fill(const std::string& ratio) {
  return "inetdiag_ephemeral_ports_fill_ratio " + ratio;
}

std::string used(const std::string& source, const std::string& destination, int ports) {
  return "inetdiag_ephemeral_ports_used{source=\"" + source + "\",destination=\"" + destination +
         "\"} " + std::to_string(ports);
}

TEST(Ports, AreCountedByDestination) {
  Client client;
  client.connect(1000);
  client.connect(1001);
  client.connect(1002, "10.0.0.9", 444);
  client.connect(1003, "10.0.0.10");
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(fill("0.2")));
  EXPECT_THAT(lines, Contains("inetdiag_ephemeral_ports_usable 10"));
  EXPECT_THAT(lines, Contains("inetdiag_ephemeral_ports_fill_error_ratio 0"));
  EXPECT_THAT(lines, Contains(used("10.0.0.5", "10.0.0.9:443", 2)));
  EXPECT_THAT(lines, Contains(used("10.0.0.5", "10.0.0.9:444", 1)));
  EXPECT_THAT(lines, Contains(used("10.0.0.5", "10.0.0.10:443", 1)));
}

TEST(Ports, AreCountedBySourceAddress) {
  Client client;
  client.connect(1000);
  client.connect(1000, "10.0.0.9", 443, TcpState::established, "10.0.0.6");
  EXPECT_THAT(client.scrape(), Contains(fill("0.1")));
}

TEST(Ports, OfMappedAddressesAreThoseOfIpv4) {
  Client client;
  client.connect(1000);
  client.connect(1001, "::ffff:10.0.0.9", 443, TcpState::established, "::ffff:10.0.0.5");
  client.connect(1002, "2001:db8::9", 443, TcpState::established, "2001:db8::5");
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(used("10.0.0.5", "10.0.0.9:443", 2)));
  EXPECT_THAT(lines, Contains(used("[2001:db8::5]", "[2001:db8::9]:443", 1)));
}

TEST(Ports, OutsideOfTheRangeAreNotCounted) {
  Client client;
  client.proc_tree.write("sys/net/ipv4/ip_local_reserved_ports", "1005\n");
  client.connect(999);
  client.connect(1010);
  client.connect(1005);
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(fill("0")));
  EXPECT_THAT(lines, Contains("inetdiag_ephemeral_ports_usable 9"));
}

TEST(Ports, OfListenersAreNotUsable) {
  Client client;
  client.kernel.sockets.push_back({.port = 1000});
  client.connect(1000, "10.0.0.9", 2000);  // to the listener
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(fill("0")));
  EXPECT_THAT(lines, Contains("inetdiag_ephemeral_ports_usable 9"));
}

TEST(Ports, InTimeWaitAreInUseWithoutReuse) {
  Client client;
  client.connect(1000, "10.0.0.9", 443, TcpState::time_wait);
  client.connect(1001, "10.0.0.9", 443, TcpState::syn_sent);
  client.connect(1002, "10.0.0.9", 443, TcpState::close);
  EXPECT_THAT(client.scrape(), Contains(fill("0.2")));
  client.reuse_time_wait("0");
  EXPECT_THAT(client.scrape(), Contains(fill("0.2")));
}

TEST(Ports, InTimeWaitAreFreeWithReuse) {
  Client client;
  client.connect(1000, "10.0.0.9", 443, TcpState::time_wait);
  client.connect(1001, "10.0.0.9", 443, TcpState::fin_wait2);
  client.reuse_time_wait("1");
  EXPECT_THAT(client.scrape(), Contains(fill("0.1")));
}

TEST(Ports, InTimeWaitAreFreeOnLoopbackOnlyByDefault) {
  Client client;
  client.reuse_time_wait("2");
  client.connect(1000, "10.0.0.9", 443, TcpState::time_wait);
  client.connect(1001, "127.0.0.1", 443, TcpState::time_wait, "127.0.0.1");
  client.connect(1002, "::1", 443, TcpState::time_wait, "::1");
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(used("10.0.0.5", "10.0.0.9:443", 1)));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("127.0.0.1"))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("::1"))));
}

TEST(Ports, InTimeWaitAreInUseWithoutTimestamps) {
  Client client;
  client.connect(1000, "10.0.0.9", 443, TcpState::time_wait);
  client.reuse_time_wait("1");
  client.proc_tree.write("sys/net/ipv4/tcp_timestamps", "0\n");
  EXPECT_THAT(client.scrape(), Contains(fill("0.1")));
}

TEST(Ports, AreCountedByDevice) {
  Client client;
  client.connect(1000);
  client.connect(1000);
  client.kernel.sockets.front().device = 2;
  client.kernel.sockets.back().device = 3;
  EXPECT_THAT(client.scrape(), Contains(fill("0.1")));
}

TEST(Ports, OfConnectionsWithoutADeviceAreNotFreeOnADevice) {
  Client client;
  client.connect(1000);
  client.connect(1001);
  client.connect(1002);
  client.kernel.sockets.front().device = 2;
  EXPECT_THAT(client.scrape(), Contains(fill("0.3")));
}

TEST(Ports, NameNoDestinationByDefault) {
  Client client;
  client.collector = make_ports(settings({{"destinations", "0"}}));
  client.connect(1000);
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(fill("0.1")));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("10.0.0.9"))));
}

TEST(Ports, ShowTheDestinationsWithTheFewestLeft) {
  Client client;
  client.collector = make_ports(settings({{"destinations", "1"}}));
  client.connect(1000, "10.0.0.1");
  client.connect(1001, "10.0.0.2");
  client.connect(1002, "10.0.0.2");
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains(used("10.0.0.5", "10.0.0.2:443", 2)));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("10.0.0.1:"))));
}

TEST(Ports, AreAllInUseIfNoneIsUsable) {
  Client client;
  client.proc_tree.write("sys/net/ipv4/ip_local_reserved_ports", "1000-1009\n");
  const auto lines = client.scrape();
  EXPECT_THAT(lines, Contains("inetdiag_ephemeral_ports_usable 0"));
  EXPECT_THAT(lines, Contains(fill("1")));
}

TEST(Ports, AreAbsentWithoutARange) {
  Client client;
  std::filesystem::remove(client.proc_tree.path("sys/net/ipv4/ip_local_port_range"));
  EXPECT_THAT(client.scrape(), IsEmpty());
}

TEST(Ports, OfTheLastDumpStayOnThePage) {
  Client client;
  client.connect(1000);
  EXPECT_THAT(client.scrape(), Contains(fill("0.1")));
  client.has_full_dump = false;
  client.connect(1001);
  EXPECT_THAT(client.scrape(), Contains(fill("0.1")));
}

TEST(Ports, AreAbsentBeforeTheFirstDump) {
  Client client;
  client.has_full_dump = false;
  EXPECT_THAT(client.scrape(), IsEmpty());
}

TEST(Ports, NeverUnderstateTheFullestByMoreThanTheError) {
  Client client;
  client.proc_tree.write("sys/net/ipv4/ip_local_port_range", "1024 65535\n");
  // More destinations than there are counters, and then one with most of the ports.
  for (int i = 0; i < 20'000; ++i) {
    client.connect(static_cast<std::uint16_t>(2000 + i),
                   "10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  }
  for (int i = 0; i < 10'000; ++i) {
    client.connect(static_cast<std::uint16_t>(2000 + i), "10.2.0.1");
  }
  const auto lines = client.scrape();
  const auto value_of = [&](const std::string& name) {
    for (const std::string& line : lines) {
      if (line.starts_with(name + " ")) {
        return std::stod(line.substr(name.size()));
      }
    }
    return -1.0;
  };
  const double ratio = value_of("inetdiag_ephemeral_ports_fill_ratio");
  const double error = value_of("inetdiag_ephemeral_ports_fill_error_ratio");
  const double truth = 10'000.0 / value_of("inetdiag_ephemeral_ports_usable");
  EXPECT_GT(error, 0);
  EXPECT_LE(ratio, truth);
  constexpr double rounding = 1e-5;  // of the text
  EXPECT_GE(ratio + error, truth - rounding);
}

TEST(Ports, RejectInvalidSettings) {
  EXPECT_THROW((void)make_ports(settings({{"destinations", "1001"}})), SettingError);
  EXPECT_THROW((void)make_ports(settings({{"destinations", "all"}})), SettingError);
}

}  // namespace
}  // namespace inetdiag
