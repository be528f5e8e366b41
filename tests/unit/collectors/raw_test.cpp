#include "collectors/raw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kernel/proc/raw_sockets.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::parse_raw_sockets;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Linux 6.18: a VRRP socket with 0x300 bytes in its queue.
constexpr std::string_view raw_ipv4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops\n"
    "  112: 00000000:0070 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 "
    "26817 2 00000000d1ae4a1b 12\n";
constexpr std::string_view raw_ipv6 =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
    "   58: 00000000000000000000000000000000:003A 00000000000000000000000000000000:0000 07 "
    "00000000:00000000 00:00000000 00000000     0        0 26818 2 00000000d1ae4a1c 0\n"
    "  200: 00000000000000000000000000000000:00C8 00000000000000000000000000000000:0000 07 "
    "00000000:00000000 00:00000000 00000000     0        0 26819 2 00000000d1ae4a1d 0\n";

TEST(ParseRawSockets, ReadsProtocolQueueDropsAndInode) {
  const auto sockets = parse_raw_sockets(raw_ipv4);
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(sockets[0].protocol, 112);
  EXPECT_EQ(sockets[0].queued_bytes, 0x300U);
  EXPECT_EQ(sockets[0].drops, 12U);
  EXPECT_EQ(sockets[0].inode, 26817U);
  EXPECT_EQ(parse_raw_sockets(raw_ipv6).size(), 2U);
}

TEST(ParseRawSockets, IgnoresIncompleteLines) {
  EXPECT_THAT(parse_raw_sockets(""), IsEmpty());
  EXPECT_THAT(parse_raw_sockets("header\n1: 2\n"), IsEmpty());
  EXPECT_THAT(parse_raw_sockets("header\n1: 0:0100 0:0 07 0:0 0:0 0 0 0 1 2 p 3\n"), IsEmpty());
  EXPECT_THAT(parse_raw_sockets("header\n1: 0:01 0:0 07 00 0:0 0 0 0 1 2 p 3\n"), IsEmpty());
  EXPECT_THAT(parse_raw_sockets("header\n1: 0:01 0:0 07 0:0 0:0 0 0 0 1 2 p\n"), IsEmpty());
}

TEST(RawCollector, GroupsByProtocolAndFamily) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/raw", raw_ipv4);
  fixture.proc_tree.write("net/raw6", raw_ipv6);
  EXPECT_THAT(
      fixture.lines(*make_raw({})),
      ElementsAre(
          "inetdiag_raw_sockets{family=\"ipv4\",protocol=\"vrrp\"} 1",
          "inetdiag_raw_sockets{family=\"ipv6\",protocol=\"200\"} 1",
          "inetdiag_raw_sockets{family=\"ipv6\",protocol=\"ipv6-icmp\"} 1",
          "inetdiag_raw_receive_queue_bytes{family=\"ipv4\",protocol=\"vrrp\"} 768",
          "inetdiag_raw_receive_queue_bytes{family=\"ipv6\",protocol=\"200\"} 0",
          "inetdiag_raw_receive_queue_bytes{family=\"ipv6\",protocol=\"ipv6-icmp\"} 0",
          "inetdiag_raw_drops_total{family=\"ipv4\",protocol=\"vrrp\"} 12",
          "inetdiag_raw_drops_total{family=\"ipv6\",protocol=\"200\"} 0",
          "inetdiag_raw_drops_total{family=\"ipv6\",protocol=\"ipv6-icmp\"} 0",
          R"(inetdiag_raw_socket_drops_total{family="ipv4",protocol="vrrp",inode="26817"} 12)",
          R"(inetdiag_raw_socket_receive_queue_bytes{family="ipv4",protocol="vrrp",inode="26817"} 768)"));
}

TEST(RawCollector, ReadsNothingOfAFamilyWithoutSocketsInAnotherNamespace) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/raw", raw_ipv4);
  fixture.proc_tree.write("net/raw6", raw_ipv6);
  fixture.is_other_namespace = true;
  fixture.proc_tree.write("net/sockstat", "sockets: used 4\nRAW: inuse 0\n");
  fixture.proc_tree.write("net/sockstat6", "RAW6: inuse 2\n");
  EXPECT_THAT(fixture.lines(*make_raw({})), AllOf(Not(IsEmpty()), Each(HasSubstr("ipv6"))));
}

TEST(RawCollector, DropsAreCreatedAtThePreviousCollection) {
  CollectorFixture fixture;
  const auto collector = make_raw({});
  fixture.proc_tree.write("net/raw", raw_ipv4);
  fixture.collect(*collector);
  fixture.proc_tree.write("net/raw6", raw_ipv6);
  const auto families = fixture.collect(*collector).families;
  EXPECT_TRUE(created_of(families, "inetdiag_raw_drops", R"({family="ipv6",protocol="200"})"));
  EXPECT_FALSE(created_of(families, "inetdiag_raw_drops", R"({family="ipv4",protocol="vrrp"})"));
  fixture.namespace_created = std::chrono::system_clock::time_point(std::chrono::seconds(1));
  EXPECT_EQ(created_of(fixture.collect(*make_raw({})).families, "inetdiag_raw_drops",
                       R"({family="ipv4",protocol="vrrp"})"),
            1);
}

TEST(RawCollector, FailsIfItsFileIsMissing) {
  CollectorFixture fixture;
  EXPECT_THAT(fixture.collect(*make_raw({})).errors, ElementsAre(HasSubstr("net/raw")));
}

}  // namespace
}  // namespace inetdiag
