#include "collectors/packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/packet_diag.h>

#include "collectors/kernel/netlink/packet_diag.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::parse_packet_socket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Bytes packet_socket(std::uint16_t protocol, std::uint32_t queued, std::uint32_t drops,
                    std::uint32_t inode = 4711) {
  packet_diag_msg message{};
  message.pdiag_family = AF_PACKET;
  message.pdiag_num = protocol;
  message.pdiag_ino = inode;
  Bytes bytes;
  append(bytes, message);
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  memory[SK_MEMINFO_RMEM_ALLOC] = queued;
  memory[SK_MEMINFO_DROPS] = drops;
  Bytes value;
  append(value, memory);
  append_attribute(bytes, PACKET_DIAG_MEMINFO, value);
  return bytes;
}

TEST(ParsePacketSocket, ReadsQueueAndDrops) {
  const auto socket = parse_packet_socket(packet_socket(ETH_P_LLDP, 768, 3));
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->protocol, ETH_P_LLDP);
  EXPECT_EQ(socket->inode, 4711U);
  EXPECT_EQ(socket->queued_bytes, 768U);
  EXPECT_EQ(socket->drops, 3U);
}

TEST(ParsePacketSocket, AcceptsMessagesOfAnyLength) {
  const Bytes complete = packet_socket(ETH_P_ALL, 768, 3);
  for (std::size_t size = 0; size <= complete.size(); ++size) {
    const auto socket = parse_packet_socket(std::span(complete).first(size));
    EXPECT_EQ(socket.has_value(), size >= sizeof(packet_diag_msg));
    EXPECT_EQ(socket && socket->drops == 3, size == complete.size());
  }
}

TEST(PacketCollector, GroupsByProtocol) {
  CollectorFixture fixture;
  fixture.kernel.packet_sockets = {packet_socket(ETH_P_ALL, 768, 3), packet_socket(ETH_P_ALL, 1, 0),
                                   packet_socket(0, 0, 0), packet_socket(0x1234, 0, 0)};
  EXPECT_THAT(
      fixture.lines(*make_packet({})),
      ElementsAre(
          "inetdiag_packet_sockets{protocol=\"all\"} 2",
          "inetdiag_packet_sockets{protocol=\"none\"} 1",
          "inetdiag_packet_sockets{protocol=\"other\"} 1",
          "inetdiag_packet_receive_queue_bytes{protocol=\"all\"} 769",
          "inetdiag_packet_receive_queue_bytes{protocol=\"none\"} 0",
          "inetdiag_packet_receive_queue_bytes{protocol=\"other\"} 0",
          "inetdiag_packet_drops_total{protocol=\"all\"} 3",
          "inetdiag_packet_drops_total{protocol=\"none\"} 0",
          "inetdiag_packet_drops_total{protocol=\"other\"} 0",
          R"(inetdiag_packet_socket_drops_total{protocol="all",inode="4711"} 3)",
          R"(inetdiag_packet_socket_receive_queue_bytes{protocol="all",inode="4711"} 768)"));
}

TEST(PacketCollector, CountsDropsOfASocketOnceAndOfNoneThatIsBeingClosed) {
  CollectorFixture fixture;
  fixture.kernel.packet_sockets = {packet_socket(ETH_P_ALL, 1, 3), packet_socket(ETH_P_ALL, 1, 3),
                                   packet_socket(ETH_P_ALL, 1, 5, 0),
                                   packet_socket(ETH_P_ALL, 1, 5, 0)};
  EXPECT_THAT(fixture.lines(*make_packet({})),
              ElementsAre("inetdiag_packet_sockets{protocol=\"all\"} 4",
                          "inetdiag_packet_receive_queue_bytes{protocol=\"all\"} 4",
                          "inetdiag_packet_drops_total{protocol=\"all\"} 3",
                          R"(inetdiag_packet_socket_drops_total{protocol="all",inode="4711"} 3)",
                          R"(inetdiag_packet_socket_receive_queue_bytes{protocol="all",)"
                          R"(inode="4711"} 1)"));
}

TEST(PacketCollector, ReportsAMissingModuleAsAMissingFeature) {
  CollectorFixture fixture;
  fixture.kernel.packet_sockets = {};
  const kernel::FileTree files(fixture.proc_tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  kernel::CachedFiles proc(files, deadline);
  kernel::CgroupTree cgroups(files, deadline);
  for (const auto& [error, missing] : {std::pair{-ENOENT, 1U}, std::pair{-EOPNOTSUPP, 1U}}) {
    const kernel::NetlinkFactory netlink = [code = error](int /*protocol*/) {
      return std::make_unique<ReplayNetlink>(std::deque{error_message(code)});
    };
    kernel::PodNames pods({}, deadline);
    kernel::TcpTable tcp(netlink, deadline);
    const auto collection = make_packet({})->collect({proc, cgroups, pods, tcp, netlink, deadline});
    EXPECT_EQ(collection.missing.size(), missing);
    EXPECT_THAT(collection.families, IsEmpty());
  }
  const kernel::NetlinkFactory failing = [](int /*protocol*/) {
    return std::make_unique<ReplayNetlink>(std::deque{error_message(-ENOMEM)});
  };
  kernel::PodNames pods({}, deadline);
  kernel::TcpTable tcp(failing, deadline);
  EXPECT_THROW(make_packet({})->collect({proc, cgroups, pods, tcp, failing, deadline}),
               std::system_error);
}

}  // namespace
}  // namespace inetdiag
