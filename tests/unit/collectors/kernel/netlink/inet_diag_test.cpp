#include "collectors/kernel/netlink/inet_diag.h"

#include <gtest/gtest.h>

#include "tests/unit/support/diag_messages.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::InetAddress;
using kernel::parse_inet_attributes;
using kernel::parse_inet_socket;
using kernel::TcpState;

InetAddress address(const std::string& text) {
  return parse_inet_socket(FakeSocket{.address = text}.payload())->local;
}

TEST(InetSocket, HasTheFieldsOfTheMessage) {
  const FakeSocket fake{.address = "10.0.0.5",
                        .port = 8080,
                        .state = TcpState::close_wait,
                        .device = 7,
                        .cookie = 0x1'0000'0002,
                        .receive_queue = 11,
                        .send_queue = 12,
                        .retransmissions = 3};
  const auto socket = parse_inet_socket(fake.payload());
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->state, TcpState::close_wait);
  EXPECT_EQ(socket->local.text(), "10.0.0.5");
  EXPECT_EQ(socket->local_port, 8080);
  EXPECT_EQ(socket->device, 7U);
  EXPECT_EQ(socket->cookie, 0x1'0000'0002U);
  EXPECT_EQ(socket->receive_queue, 11U);
  EXPECT_EQ(socket->send_queue, 12U);
  EXPECT_EQ(socket->retransmissions, 3U);
  EXPECT_FALSE(socket->is_timewait());
}

TEST(InetSocket, DetectsTimewaitMinisockets) {
  const FakeSocket fake{.state = TcpState::fin_wait2, .timer = 3};
  EXPECT_TRUE(parse_inet_socket(fake.payload())->is_timewait());
}

TEST(InetSocket, IgnoresBytesAfterAnIpv4Address) {
  inet_diag_msg message = FakeSocket{.address = "10.0.0.5"}.message();
  message.id.idiag_src[1] = 0xdeadbeef;
  EXPECT_EQ(parse_inet_socket(bytes_of(message))->local, address("10.0.0.5"));
}

TEST(InetSocket, RejectsShortPayloads) {
  const Bytes complete = bytes_of(FakeSocket{}.message());
  for (std::size_t length = 0; length < complete.size(); ++length) {
    EXPECT_FALSE(parse_inet_socket(std::span(complete).first(length))) << length;
  }
  EXPECT_TRUE(parse_inet_socket(complete));
}

TEST(InetSocket, RejectsUnknownFamiliesAndStates) {
  inet_diag_msg message = FakeSocket{}.message();
  for (const int state : {0, 12, 13, 255}) {
    message.idiag_state = static_cast<std::uint8_t>(state);
    EXPECT_FALSE(parse_inet_socket(bytes_of(message))) << state;
  }
  message = FakeSocket{}.message();
  message.idiag_family = AF_UNIX;
  EXPECT_FALSE(parse_inet_socket(bytes_of(message)));
}

TEST(InetPeer, HasTheRemoteEndAndTheInode) {
  const kernel::InetPeer peer = kernel::parse_inet_peer(FakeSocket{
      .address = "::1", .peer_address = "2001:db8::7", .peer_port = 40000, .inode = 0xfffffff0}
                                                            .payload());
  EXPECT_EQ(peer.address, address("2001:db8::7"));
  EXPECT_EQ(peer.port, 40000);
  EXPECT_EQ(peer.inode, 0xfffffff0U);
}

TEST(InetAttributes, ParsesKnownAttributes) {
  const auto attributes = parse_inet_attributes(FakeSocket{.address = "::",
                                                           .drops = 45,
                                                           .cgroup = 0x1'0000'0003,
                                                           .v6_only = true,
                                                           .last_sent_ms = 1'234'567}
                                                    .payload());
  EXPECT_EQ(attributes.info.value().last_sent_ms, 1'234'567U);
  EXPECT_EQ(attributes.drops, 45U);
  EXPECT_EQ(attributes.cgroup_id, 0x1'0000'0003U);
  EXPECT_EQ(attributes.v6_only, true);
}

TEST(InetAttributes, IgnoresUnknownAttributes) {
  Bytes bytes = bytes_of(FakeSocket{}.message());
  append_attribute(bytes, 200, Bytes(5));
  append_attribute(bytes, INET_DIAG_SHUTDOWN, Bytes(1));
  append_attribute(bytes, NLA_F_NESTED | 201, Bytes(8));
  append_attribute(bytes, INET_DIAG_SKMEMINFO, memory_info(9));
  EXPECT_EQ(parse_inet_attributes(bytes).drops, 9U);
}

TEST(InetAttributes, HasNoDropsBeforeLinux47) {
  Bytes bytes = bytes_of(FakeSocket{}.message());
  append_attribute(bytes, INET_DIAG_SKMEMINFO, Bytes(SK_MEMINFO_DROPS * sizeof(std::uint32_t)));
  EXPECT_FALSE(parse_inet_attributes(bytes).drops);
}

TEST(InetAttributes, AcceptsLongerMemoryInfo) {
  Bytes bytes = bytes_of(FakeSocket{}.message());
  append_attribute(bytes, INET_DIAG_SKMEMINFO, memory_info(9) + Bytes(8));
  EXPECT_EQ(parse_inet_attributes(bytes).drops, 9U);
}

TEST(InetAttributes, IgnoresTcpInfoThatIsShorterThanThatOfAnyKernel) {
  constexpr std::size_t shortest = 104;  // up to tcpi_total_retrans, Linux 2.6
  const Bytes info = tcp_info_bytes({.last_sent_ms = 77});
  for (std::size_t length = 0; length <= info.size(); ++length) {
    Bytes bytes = bytes_of(FakeSocket{}.message());
    const auto part = std::span(info).first(length);
    append_attribute(bytes, INET_DIAG_INFO, Bytes(part.begin(), part.end()));
    const auto attributes = parse_inet_attributes(bytes);
    EXPECT_EQ(attributes.info.has_value(), length >= shortest) << length;
    EXPECT_EQ(attributes.info.value_or(kernel::TcpInfo{.last_sent_ms = 77}).last_sent_ms, 77U)
        << length;
  }
}

TEST(InetAttributes, StopsAtInvalidLengths) {
  for (const int claimed : {0, 1, 3, 1000, 0xffff}) {
    Bytes bytes = bytes_of(FakeSocket{}.message());
    append_attribute(bytes, INET_DIAG_SKMEMINFO, memory_info(9), claimed);
    append_attribute(bytes, INET_DIAG_CGROUP_ID, bytes_of(std::uint64_t{5}));
    const auto attributes = parse_inet_attributes(bytes);
    EXPECT_FALSE(attributes.drops) << claimed;
    EXPECT_FALSE(attributes.cgroup_id) << claimed;
  }
}

TEST(InetAttributes, KeepsAttributesBeforeATruncatedOne) {
  Bytes bytes = bytes_of(FakeSocket{}.message());
  append_attribute(bytes, INET_DIAG_CGROUP_ID, bytes_of(std::uint64_t{5}));
  const std::size_t first_end = bytes.size();
  append_attribute(bytes, INET_DIAG_SKMEMINFO, memory_info(9));
  for (std::size_t length = first_end; length < bytes.size(); ++length) {
    const auto attributes = parse_inet_attributes(std::span(bytes).first(length));
    EXPECT_EQ(attributes.cgroup_id, 5U) << length;
    EXPECT_FALSE(attributes.drops) << length;
  }
}

TEST(InetAttributes, IgnoresTruncatedValues) {
  Bytes bytes = bytes_of(FakeSocket{}.message());
  append_attribute(bytes, INET_DIAG_CGROUP_ID, Bytes(4));
  append_attribute(bytes, INET_DIAG_SKV6ONLY, {});
  const auto attributes = parse_inet_attributes(bytes);
  EXPECT_FALSE(attributes.cgroup_id);
  EXPECT_FALSE(attributes.v6_only);
}

TEST(InetAddress, IsFormattedAsInAUrl) {
  EXPECT_EQ(address("0.0.0.0").text(), "0.0.0.0");
  EXPECT_EQ(address("::").text(), "[::]");
  EXPECT_EQ(address("2001:db8::1").text(), "[2001:db8::1]");
}

TEST(InetAddress, ConvertsBetweenIpv4AndMapped) {
  EXPECT_EQ(address("10.0.0.5").mapped(), address("::ffff:10.0.0.5"));
  EXPECT_EQ(address("::ffff:10.0.0.5").unmapped(), address("10.0.0.5"));
  EXPECT_FALSE(address("::1").unmapped());
  EXPECT_FALSE(address("10.0.0.5").unmapped());
}

}  // namespace
}  // namespace inetdiag
