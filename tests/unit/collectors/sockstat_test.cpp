#include "collectors/kernel/proc/sockstat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "collectors/sockstat.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using kernel::sockstat_value;

constexpr std::string_view text =
    "sockets: used 231\nTCP: inuse 5 orphan 1 tw 65536 alloc 9 mem 3\nUDP: inuse 2 mem 1\n";

TEST(SockstatValue, IsFoundByProtocolAndKey) {
  EXPECT_EQ(sockstat_value(text, "TCP", "tw"), 65536U);
  EXPECT_EQ(sockstat_value(text, "TCP", "mem"), 3U);
  EXPECT_EQ(sockstat_value(text, "UDP", "mem"), 1U);
}

TEST(SockstatValue, IsAbsentIfMissingOrInvalid) {
  EXPECT_FALSE(sockstat_value(text, "UDP", "tw"));
  EXPECT_FALSE(sockstat_value(text, "SCTP", "inuse"));
  EXPECT_FALSE(sockstat_value("", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP: tw", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP: tw many", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP: tw -1", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("TCP", "TCP", "tw"));
  EXPECT_FALSE(sockstat_value("tw 5\n", "TCP", "tw"));
}

TEST(SockstatCollector, ConvertsPagesToBytes) {
  testing::CollectorFixture fixture;
  fixture.proc_tree.write("net/sockstat",
                          "sockets: used 231\nTCP: inuse 5 orphan 1 tw 2 alloc 9 mem 3\n"
                          "UDP: inuse 2 mem 4\nUDPLITE: inuse 0\nRAW: inuse 0\n"
                          "FRAG: inuse 1 memory 5000\n");
  fixture.proc_tree.write("sys/net/ipv4/tcp_mem", "1\t2\t3\n");
  fixture.proc_tree.write("sys/net/ipv4/udp_mem", "none\n");
  const auto pages = [](long count) { return std::to_string(::sysconf(_SC_PAGESIZE) * count); };
  EXPECT_THAT(
      fixture.lines(*make_sockstat({})),
      ::testing::ElementsAre(
          "inetdiag_tcp_orphans 1", "inetdiag_tcp_time_wait 2", "inetdiag_tcp_allocated_sockets 9",
          "inetdiag_tcp_memory_bytes " + pages(3), "inetdiag_udp_memory_bytes " + pages(4),
          "inetdiag_tcp_memory_limit_bytes{field=\"low\"} " + pages(1),
          "inetdiag_tcp_memory_limit_bytes{field=\"pressure\"} " + pages(2),
          "inetdiag_tcp_memory_limit_bytes{field=\"high\"} " + pages(3)));
}

TEST(SockstatCollector, FailsIfItsFileIsMissing) {
  testing::CollectorFixture fixture;
  EXPECT_EQ(fixture.collect(*make_sockstat({})).errors.size(), 1U);
}

TEST(SockstatCollector, OmitsHostMetricsInOtherNamespaces) {
  testing::CollectorFixture fixture;
  fixture.is_other_namespace = true;
  fixture.proc_tree.write("net/sockstat",
                          "TCP: inuse 5 orphan 1 tw 2 alloc 9 mem 3\nUDP: inuse 2 mem 4\n"
                          "FRAG: inuse 1 memory 5000\n");
  EXPECT_THAT(fixture.lines(*make_sockstat({})),
              ::testing::ElementsAre("inetdiag_tcp_time_wait 2"));
}

}  // namespace
}  // namespace inetdiag
