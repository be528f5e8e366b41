#include "collectors/netlink.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kernel/proc/netlink_sockets.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::parse_netlink_sockets;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr std::string_view netlink_header =
    "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n";

/// A line of /proc/net/netlink.
std::string netlink_socket(int protocol, unsigned port_id, int queued, int drops, int inode) {
  return "00000000f297b9db " + std::to_string(protocol) + "   " + std::to_string(port_id) +
         " 00000551 " + std::to_string(queued) + "        0        0     2        " +
         std::to_string(drops) + "        " + std::to_string(inode) + "       \n";
}

TEST(ParseNetlinkSockets, SkipsThoseOfTheKernel) {
  const auto sockets =
      parse_netlink_sockets(std::string(netlink_header) + netlink_socket(0, 0, 0, 0, 4) +
                            netlink_socket(16, 4294963120, 832, 7, 1501));
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(sockets[0].protocol, 16U);
  EXPECT_EQ(sockets[0].groups, 0x551U);
  EXPECT_EQ(sockets[0].queued_bytes, 832U);
  EXPECT_EQ(sockets[0].drops, 7U);
  EXPECT_EQ(sockets[0].inode, 1501U);
}

TEST(ParseNetlinkSockets, IgnoresIncompleteLines) {
  const std::string header(netlink_header);
  EXPECT_THAT(parse_netlink_sockets(""), IsEmpty());
  EXPECT_THAT(parse_netlink_sockets(netlink_header), IsEmpty());
  EXPECT_THAT(parse_netlink_sockets(header + "a 0 5 0 0 0 0 2 0\n"), IsEmpty());
  EXPECT_THAT(parse_netlink_sockets(header + "a 0 5 0 0 0 0 2 0 x\n\n"), IsEmpty());
  EXPECT_THAT(parse_netlink_sockets(header + "a -1 5 0 0 0 0 2 0 7\n"), IsEmpty());
}

/// Process 90, bird, has the socket with the inode 7 open.
struct NetlinkHost : CollectorFixture {
  std::unique_ptr<Collector> collector = make_netlink({});

  NetlinkHost() {
    proc_tree.write("90/stat", "90 (bird) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 7\n");
    proc_tree.make_directory("90/fd");
    std::filesystem::create_symlink("socket:[7]", proc_tree.path("90/fd/3"));
  }

  std::vector<std::string> scrape(const std::string& sockets) {
    proc_tree.write("net/netlink", std::string(netlink_header) + sockets);
    return lines(*collector);
  }
};

TEST(NetlinkCollector, SumsTheSocketsOfAProtocol) {
  NetlinkHost host;
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 100, 0, 7) + netlink_socket(0, 6, 10, 0, 8) +
                          netlink_socket(99, 6, 0, 0, 9)),
              UnorderedElementsAre("inetdiag_netlink_sockets{protocol=\"route\"} 2",
                                   "inetdiag_netlink_sockets{protocol=\"99\"} 1",
                                   "inetdiag_netlink_receive_queue_bytes{protocol=\"route\"} 110",
                                   "inetdiag_netlink_receive_queue_bytes{protocol=\"99\"} 0",
                                   "inetdiag_netlink_drops_total{protocol=\"route\"} 0",
                                   "inetdiag_netlink_drops_total{protocol=\"99\"} 0"));
}

TEST(NetlinkCollector, OmitsSocketsThatOnlyGetAnswers) {
  NetlinkHost host;
  const auto without_groups = [](int protocol, int drops) {
    std::string line = netlink_socket(protocol, 5, 0, drops, 7);
    return line.replace(line.find("551"), 3, "000");
  };
  EXPECT_THAT(host.scrape(without_groups(0, 0) + without_groups(4, 0)), IsEmpty());
  EXPECT_THAT(host.scrape(without_groups(9, 0)),
              Contains("inetdiag_netlink_sockets{protocol=\"audit\"} 1"));
  EXPECT_THAT(host.scrape(without_groups(0, 1)),
              Contains("inetdiag_netlink_sockets{protocol=\"route\"} 1"));
}

TEST(NetlinkCollector, KeepsTheDropsOfClosedSockets) {
  NetlinkHost host;
  const char* drops = "inetdiag_netlink_drops_total{protocol=\"route\"} ";
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 0, 3, 7) + netlink_socket(0, 6, 0, 0, 8)),
              Contains(drops + std::string("3")));
  EXPECT_THAT(host.scrape(netlink_socket(0, 6, 0, 2, 8)), Contains(drops + std::string("5")));
}

TEST(NetlinkCollector, NamesTheProcessOfASocketOnceItsDropsGrow) {
  NetlinkHost host;
  const std::string socket = "{protocol=\"route\",inode=\"7\"";
  const std::string drops = "inetdiag_netlink_socket_drops_total" + socket;
  const std::string info = "inetdiag_netlink_socket_info" + socket + ",pid=\"90\",comm=\"bird\"} 1";
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 0, 3, 7)),
              AllOf(Contains(drops + "} 3"), Not(Contains(info))));
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 0, 3, 7)), Not(Contains(info)));
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 9, 4, 7)),
              AllOf(Contains(drops + "} 4"), Contains(info),
                    Contains("inetdiag_netlink_socket_receive_queue_bytes" + socket + "} 9")));
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 0, 4, 7)), Contains(info));
  host.proc_tree.write("90/stat", "90 (other) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 8\n");
  EXPECT_THAT(host.scrape(netlink_socket(0, 5, 0, 4, 7)), Not(Contains(HasSubstr("_info"))));
}

TEST(NetlinkCollector, ShowsTheTenSocketsWithMostDrops) {
  NetlinkHost host;
  std::string sockets;
  for (int i = 1; i <= 12; ++i) {
    sockets += netlink_socket(0, 5, 0, i, 100 + i);
  }
  const auto page = host.scrape(sockets);
  EXPECT_EQ(
      std::ranges::count_if(
          page, [](const auto& line) { return line.starts_with("inetdiag_netlink_socket_drops"); }),
      10);
  EXPECT_THAT(page, Contains(HasSubstr("inode=\"112\"} 12")));
}

TEST(NetlinkCollector, FailsIfItsFileIsMissing) {
  CollectorFixture fixture;
  EXPECT_THAT(fixture.collect(*make_netlink({})).errors, ElementsAre(HasSubstr("net/netlink")));
}

}  // namespace
}  // namespace inetdiag
