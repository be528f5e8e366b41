#include "collectors/udp.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::TcpState;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::unique_ptr<Collector> udp(const std::string& max = "500") {
  return make_udp(settings({{"max", max}}));
}

FakeSocket bound(const std::string& address, std::uint16_t port, std::uint64_t cookie,
                 std::uint32_t queue = 0, std::uint32_t limit = 1000, int drops = 0) {
  return {.address = address,
          .port = port,
          .state = TcpState::close,
          .cookie = cookie,
          .receive_queue = queue,
          .receive_limit = limit,
          .drops = drops};
}

FakeSocket connected(std::uint16_t port, std::uint64_t cookie, int drops) {
  FakeSocket socket = bound("0.0.0.0", port, cookie, 0, 1000, drops);
  socket.state = TcpState::established;
  return socket;
}

const std::string at_53 = R"({address="0.0.0.0",port="53"} )";
const std::string at_aggregate = R"({address="other",port="other"} )";

TEST(Udp, ExportsQueueLimitFillRatioAndDrops) {
  CollectorFixture fixture;
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1, 500, 1000, 7), bound("::", 53, 2)};
  const auto lines = fixture.lines(*udp());
  EXPECT_THAT(lines, Contains("inetdiag_udp_sockets" + at_53 + "1"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_bytes" + at_53 + "500"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_limit_bytes" + at_53 + "1000"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_fill_ratio" + at_53 + "0.5"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_drops_total" + at_53 + "7"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_udp_sockets{address="[::]",port="53"} 1)"));
}

TEST(Udp, AggregatesConnectedAndEphemeralSockets) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/ipv4/ip_local_port_range", "10000\t20000\n");
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1), bound("0.0.0.0", 10000, 2, 10, 100),
                                bound("0.0.0.0", 20000, 3, 20, 100), bound("0.0.0.0", 40000, 4)};
  FakeSocket connected = bound("10.0.0.5", 53, 5, 90, 100, 4);
  connected.state = TcpState::established;
  fixture.kernel.udp_sockets.push_back(connected);
  const auto lines = fixture.lines(*udp());
  EXPECT_THAT(lines, Contains("inetdiag_udp_sockets" + at_aggregate + "3"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_bytes" + at_aggregate + "120"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_fill_ratio" + at_aggregate + "0.9"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_drops_total" + at_aggregate + "4"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_udp_sockets{address="0.0.0.0",port="40000"} 1)"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("10.0.0.5"))));
}

TEST(Udp, AggregatesFullSocketsLast) {
  CollectorFixture fixture;
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1), bound("0.0.0.0", 514, 2, 999, 1000)};
  const auto lines = fixture.lines(*udp("1"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_udp_sockets{address="0.0.0.0",port="514"} 1)"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_sockets" + at_aggregate + "1"));
}

TEST(Udp, ExportsTheOwnersOfEachEndpointWithItsOwnSeries) {
  CollectorFixture fixture;
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1), bound("0.0.0.0", 53, 2),
                                bound("0.0.0.0", 123, 3), bound("0.0.0.0", 514, 4),
                                bound("0.0.0.0", 40000, 5)};
  auto& sockets = fixture.kernel.udp_sockets;
  sockets[0].cgroup = fixture.make_cgroup("/system.slice/b.service");
  sockets[1].cgroup = fixture.make_cgroup("/system.slice/a.service");
  sockets[2].cgroup = 1;
  sockets[3].cgroup = sockets[4].cgroup = fixture.make_cgroup("/c.service");
  const auto lines = fixture.lines(*udp("2"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_udp_info{address="0.0.0.0",port="53",)"
                              R"(cgroup="/system.slice/a.service,/system.slice/b.service",)"
                              R"(unit="a.service,b.service"} 1)"));
  EXPECT_EQ(std::ranges::count_if(
                lines, [](const auto& line) { return line.starts_with("inetdiag_udp_info"); }),
            1);
}

TEST(Udp, ReportsAKernelWithoutCgroupsAsAMissingFeature) {
  CollectorFixture fixture;
  EXPECT_THAT(fixture.collect(*udp()).missing, ::testing::IsEmpty());
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1)};
  EXPECT_THAT(fixture.collect(*udp()).missing, Contains(HasSubstr("INET_DIAG_CGROUP_ID")));
  fixture.kernel.udp_sockets[0].cgroup = 1;
  EXPECT_THAT(fixture.collect(*udp()).missing, Not(Contains(HasSubstr("INET_DIAG_CGROUP_ID"))));
}

TEST(Udp, ExportsTheFullestOfSeveralSockets) {
  CollectorFixture fixture;
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1, 500, 5000),
                                bound("0.0.0.0", 53, 2, 90, 100), bound("0.0.0.0", 53, 3, 0, 8000),
                                bound("0.0.0.0", 123, 4, 7, 10)};
  const auto lines = fixture.lines(*udp());
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_bytes" + at_53 + "590"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_receive_queue_fill_ratio" + at_53 + "0.9"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_fullest_receive_queue_bytes" + at_53 + "90"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_fullest_receive_queue_limit_bytes" + at_53 + "100"));
  EXPECT_THAT(lines, Not(Contains(AllOf(StartsWith("inetdiag_udp_fullest"), HasSubstr("123")))));
  EXPECT_THAT(lines,
              Not(Contains(StartsWith("inetdiag_udp_fullest_receive_queue_bytes" + at_aggregate))));
}

TEST(Udp, ExportsTheFullestSocketOfTheAggregate) {
  CollectorFixture fixture;
  FakeSocket client = bound("10.0.0.5", 40000, 1, 3, 30);
  client.state = TcpState::established;
  fixture.kernel.udp_sockets = {client};
  EXPECT_THAT(fixture.lines(*udp()),
              Contains("inetdiag_udp_fullest_receive_queue_bytes" + at_aggregate + "3"));
  fixture.kernel.udp_sockets.push_back(bound("0.0.0.0", 53, 2, 40, 100));
  const auto lines = fixture.lines(*udp("0"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_fullest_receive_queue_bytes" + at_aggregate + "40"));
  EXPECT_THAT(lines,
              Contains("inetdiag_udp_fullest_receive_queue_limit_bytes" + at_aggregate + "100"));
}

TEST(Udp, ChoosesTheSameFullestSocketInAnyOrder) {
  const auto limit_of_fullest = [](std::vector<FakeSocket> sockets) {
    CollectorFixture fixture;
    fixture.kernel.udp_sockets = std::move(sockets);
    return fixture.lines(*udp());
  };
  const auto small = bound("0.0.0.0", 53, 1, 0, 100);
  const auto large = bound("0.0.0.0", 53, 2, 0, 200);
  EXPECT_EQ(limit_of_fullest({small, large}), limit_of_fullest({large, small}));
}

TEST(Udp, NeverDecreasesDropsAsSocketsOpenAndClose) {
  CollectorFixture fixture;
  const auto collector = udp();
  const auto drops = [&](std::vector<FakeSocket> sockets) {
    fixture.kernel.udp_sockets = std::move(sockets);
    return fixture.lines(*collector);
  };
  EXPECT_THAT(drops({bound("0.0.0.0", 53, 1, 0, 1, 10), bound("0.0.0.0", 53, 2, 0, 1, 5)}),
              Contains("inetdiag_udp_drops_total" + at_53 + "15"));
  EXPECT_THAT(drops({bound("0.0.0.0", 53, 2, 0, 1, 6)}),
              Contains("inetdiag_udp_drops_total" + at_53 + "16"));
  EXPECT_THAT(drops({bound("0.0.0.0", 53, 3, 0, 1, 1), connected(40000, 9, 3)}),
              Contains("inetdiag_udp_drops_total" + at_53 + "17"));
  EXPECT_THAT(drops({}), Contains("inetdiag_udp_drops_total" + at_aggregate + "3"));
}

const std::string at_ephemeral = R"({address="0.0.0.0",port="40000"} )";

TEST(Udp, ExportsAServerOnAnEphemeralPortAsLongAsItsSocketExists) {
  CollectorFixture fixture;
  const auto collector = udp();
  const auto scrape = [&](std::vector<FakeSocket> sockets) {
    fixture.kernel.udp_sockets = std::move(sockets);
    return fixture.lines(*collector);
  };
  const auto own_series = Contains("inetdiag_udp_sockets" + at_ephemeral + "1");
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 1, 499, 1000)}), Not(own_series));
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 1, 500, 1000)}), own_series);
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 1)}), own_series);
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 1)}), own_series);
  // Another socket has the port.
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 2)}), Not(own_series));
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 1)}), Not(own_series));
  EXPECT_THAT(scrape({bound("0.0.0.0", 40000, 3, 0, 1000, 1)}), own_series);
  EXPECT_THAT(scrape({connected(40000, 3, 1)}), Not(own_series));
}

TEST(Udp, ExportsAllSocketsOfAServerOnAnEphemeralPort) {
  CollectorFixture fixture;
  const auto collector = udp();
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 40000, 1), bound("0.0.0.0", 40000, 2, 0, 1000, 7)};
  fixture.collect(*collector);
  const auto lines = fixture.lines(*collector);
  EXPECT_THAT(lines, Contains("inetdiag_udp_sockets" + at_ephemeral + "2"));
  EXPECT_THAT(lines, Contains("inetdiag_udp_sockets" + at_aggregate + "0"));
  // Its notable socket has closed.
  fixture.kernel.udp_sockets.pop_back();
  const auto after = fixture.lines(*collector);
  EXPECT_THAT(after, Contains("inetdiag_udp_sockets" + at_aggregate + "1"));
  EXPECT_THAT(after, Not(Contains(HasSubstr("40000"))));
}

TEST(Udp, CountsTheDropsOfASocketOnceThatConnectsAndDisconnects) {
  CollectorFixture fixture;
  const auto collector = udp();
  const auto scrape = [&](const FakeSocket& socket) {
    fixture.kernel.udp_sockets = {socket};
    return fixture.lines(*collector);
  };
  const std::string drops = "inetdiag_udp_drops_total";
  EXPECT_THAT(scrape(connected(40000, 1, 4)), Contains(drops + at_aggregate + "4"));
  auto lines = scrape(bound("0.0.0.0", 40000, 1, 0, 1000, 6));
  EXPECT_THAT(lines, Contains(drops + at_aggregate + "4"));
  EXPECT_THAT(lines, Contains(drops + at_ephemeral + "2"));
  EXPECT_THAT(scrape(connected(40000, 1, 7)), Contains(drops + at_aggregate + "5"));
  lines = scrape(bound("0.0.0.0", 40000, 1, 0, 1000, 7));
  EXPECT_THAT(lines, Contains(drops + at_aggregate + "5"));
  EXPECT_THAT(lines, Contains(drops + at_ephemeral + "2"));
}

TEST(Udp, LimitsServersOnEphemeralPortsToTheMaximum) {
  CollectorFixture fixture;
  for (std::uint16_t port = 40000; port < 40010; ++port) {
    fixture.kernel.udp_sockets.push_back(bound("0.0.0.0", port, port, 0, 1000, 1));
  }
  const auto collector = udp("3");
  const auto lines = fixture.lines(*collector);
  EXPECT_EQ(std::ranges::count_if(
                lines, [](const auto& line) { return line.starts_with("inetdiag_udp_sockets"); }),
            4);
  EXPECT_THAT(lines, Contains("inetdiag_udp_drops_total" + at_aggregate + "7"));
  fixture.kernel.udp_sockets.clear();
  EXPECT_THAT(fixture.lines(*collector), Contains("inetdiag_udp_drops_total" + at_aggregate + "7"));
}

TEST(Udp, ExportsAFillRatioOfZeroWithoutALimit) {
  CollectorFixture fixture;
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1, 500, 0)};
  EXPECT_THAT(fixture.lines(*udp()),
              Contains("inetdiag_udp_receive_queue_fill_ratio" + at_53 + "0"));
}

TEST(Udp, DumpsAnotherNamespaceOnlyIfSockstatHasSockets) {
  CollectorFixture fixture;
  fixture.is_other_namespace = true;
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 53, 1)};
  const auto is_exported = [&](const std::string& ipv4, const std::string& ipv6) {
    fixture.proc_tree.write("net/sockstat", ipv4);
    fixture.proc_tree.write("net/sockstat6", ipv6);
    const auto lines = fixture.lines(*udp());
    EXPECT_THAT(lines, Contains(StartsWith("inetdiag_udp_sockets" + at_aggregate)));
    return std::ranges::count(lines, "inetdiag_udp_sockets" + at_53 + "1") == 1;
  };
  EXPECT_FALSE(is_exported("UDP: inuse 0 mem 5\n", "UDP6: inuse 0\n"));
  EXPECT_TRUE(is_exported("UDP: inuse 1 mem 5\n", "UDP6: inuse 0\n"));
  EXPECT_TRUE(is_exported("UDP: inuse 0 mem 5\n", "UDP6: inuse 1\n"));
  EXPECT_TRUE(is_exported("", ""));
}

TEST(Udp, SocketsAreCreatedAtThePreviousCollection) {
  CollectorFixture fixture;
  const auto collector = udp();
  const std::string labels = R"({address="0.0.0.0",port="53"})";
  fixture.kernel.udp_sockets = {bound("0.0.0.0", 54, 1)};
  fixture.collect(*collector);
  fixture.kernel.udp_sockets.push_back(bound("0.0.0.0", 53, 2, 0, 1000, 7));
  const auto families = fixture.collect(*collector).families;
  EXPECT_TRUE(created_of(families, "inetdiag_udp_drops", labels));
  EXPECT_FALSE(created_of(families, "inetdiag_udp_drops", R"({address="0.0.0.0",port="54"})"));
  EXPECT_FALSE(created_of(families, "inetdiag_udp_drops", R"({address="other",port="other"})"));
  EXPECT_EQ(created_of(fixture.collect(*collector).families, "inetdiag_udp_drops", labels),
            created_of(families, "inetdiag_udp_drops", labels));
}

}  // namespace
}  // namespace inetdiag
