#include "collectors/nstat.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Naming {
  std::string_view group;
  std::string_view name;
  std::string_view metric;
};

class NstatName : public ::testing::TestWithParam<Naming> {};

TEST_P(NstatName, IsSnakeCase) {
  EXPECT_EQ(nstat_metric_name(GetParam().group, GetParam().name),
            "inetdiag_nstat_" + std::string(GetParam().metric));
}

INSTANTIATE_TEST_SUITE_P(
    KernelNames, NstatName,
    ::testing::Values(Naming{"TcpExt", "ListenOverflows", "tcpext_listen_overflows"},
                      Naming{"TcpExt", "TCPReqQFullDoCookies", "tcpext_tcp_req_q_full_do_cookies"},
                      Naming{"Tcp", "CurrEstab", "tcp_curr_estab"},
                      Naming{"Ip6", "InReceives", "ip6_in_receives"},
                      Naming{"TcpExt", "TW", "tcpext_tw"},
                      Naming{"IpExt", "InECT1Pkts", "ipext_in_ect1_pkts"},
                      Naming{"IcmpMsg", "InType3", "icmpmsg_in_type3"},
                      Naming{"TcpExt", "TCPSACKReneging", "tcpext_tcpsack_reneging"},
                      // promtool rejects a single h as the unit hours.
                      Naming{"MPTcpExt", "MPJoinAckHMacFailure",
                             "mptcpext_mp_join_ack_hmac_failure"}));

std::unique_ptr<Collector> nstat(std::vector<std::pair<std::string, std::string>> values = {}) {
  return make_nstat(settings(std::move(values)));
}

TEST(Nstat, ExportsCountersAndGaugesOfAllFiles) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/snmp", "Tcp: MaxConn CurrEstab InSegs\nTcp: -1 5 70\n");
  fixture.proc_tree.write("net/netstat", "TcpExt: ListenDrops\nTcpExt: 45\n");
  fixture.proc_tree.write("net/snmp6", "Ip6InReceives 29\n");
  EXPECT_THAT(fixture.lines(*nstat()),
              ElementsAre("inetdiag_nstat_tcp_max_conn -1", "inetdiag_nstat_tcp_curr_estab 5",
                          "inetdiag_nstat_tcp_in_segs_total 70",
                          "inetdiag_nstat_tcpext_listen_drops_total 45",
                          "inetdiag_nstat_ip6_in_receives_total 29"));
}

TEST(Nstat, ExportsCountersWithoutADescription) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/netstat", "NewExt: BrandNew\nNewExt: 1\n");
  const auto families = fixture.collect(*nstat()).families;
  ASSERT_EQ(families.size(), 1U);
  EXPECT_EQ(families[0].name, "inetdiag_nstat_newext_brand_new_total");
  EXPECT_EQ(families[0].type, prometheus::MetricType::Counter);
  EXPECT_EQ(families[0].help, "NewExtBrandNew (/proc/net/netstat).");
}

TEST(Nstat, DescribesCountersInHelp) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/netstat", "TcpExt: ListenOverflows\nTcpExt: 1\n");
  EXPECT_THAT(fixture.collect(*nstat()).families[0].help,
              AllOf(StartsWith("TcpExtListenOverflows: SYNs and final ACKs dropped because"),
                    EndsWith(" (/proc/net/netstat).")));
}

TEST(Nstat, FiltersByKernelName) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/netstat", "TcpExt: ListenDrops ListenOverflows TW\nTcpExt: 1 2 3\n");
  EXPECT_THAT(fixture.lines(*nstat({{"include", "^TcpExtListen"}, {"exclude", "Drops$"}})),
              ElementsAre("inetdiag_nstat_tcpext_listen_overflows_total 2"));
}

/// Returns the name of the setting that is reported to match no counter, with two counters.
std::string unmatched(std::vector<std::pair<std::string, std::string>> values,
                      bool is_other_namespace = false) {
  CollectorFixture fixture;
  fixture.is_other_namespace = is_other_namespace;
  fixture.proc_tree.write("net/netstat", "TcpExt: ListenDrops TW\nTcpExt: 45 1\n");
  const auto collector = nstat(std::move(values));
  fixture.collect(*collector);
  const auto settings = fixture.collect(*collector).unmatched;
  EXPECT_LE(settings.size(), 1U);
  return settings.empty() ? "" : settings[0].name;
}

TEST(Nstat, ReportsASettingThatMatchesNothing) {
  EXPECT_EQ(unmatched({{"include", "ListenDrop$"}}), "include");
  EXPECT_EQ(unmatched({{"include", "ListenDrop$"}}, true), "");
  EXPECT_EQ(unmatched({{"exclude", "listen"}}), "exclude");
  EXPECT_EQ(unmatched({{"include", "Listen"}, {"exclude", "TW"}}), "exclude");
  EXPECT_EQ(unmatched({{"include", "Listen"}}), "");
  EXPECT_EQ(unmatched({{"include", "Listen"}, {"exclude", "Drops"}}), "");
  EXPECT_EQ(unmatched({}), "");
}

TEST(Nstat, ReportsNoSettingIfThereAreNoCounters) {
  CollectorFixture fixture;
  EXPECT_THAT(fixture.collect(*nstat({{"include", "a"}})).unmatched, IsEmpty());
}

TEST(Nstat, OmitsUdpLite) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/snmp", "UdpLite: InErrors\nUdpLite: 1\nUdp: InErrors\nUdp: 2\n");
  fixture.proc_tree.write("net/snmp6", "UdpLite6InErrors 3\n");
  EXPECT_THAT(fixture.lines(*nstat()), ElementsAre("inetdiag_nstat_udp_in_errors_total 2"));
}

TEST(Nstat, OmitsInvalidNames) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/netstat", "A: b\"ad go\\od fine\nA: 1 2 3\nB{}: x\nB{}: 1\n");
  EXPECT_THAT(fixture.lines(*nstat()), ElementsAre("inetdiag_nstat_a_fine_total 3"));
}

TEST(Nstat, ExportsOneOfTwoCountersWithTheSameMetricName) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/netstat", "A: FooBar Foo_bar\nA: 1 2\n");
  EXPECT_THAT(fixture.lines(*nstat()), ElementsAre("inetdiag_nstat_a_foo_bar_total 1"));
}

// Found by tests/fuzz: a duplicate series.
TEST(Nstat, ExportsACounterOncePerScrape) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/snmp", "Tcp: InSegs InSegs\nTcp: 1 2\nTcp: InSegs\nTcp: 3\n");
  const auto collector = nstat();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(fixture.lines(*collector), ElementsAre("inetdiag_nstat_tcp_in_segs_total 1"));
  }
}

TEST(Nstat, ExportsTheOtherFilesIfOneCannotBeRead) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/snmp", "Tcp: InSegs\nTcp: 70\n");
  fixture.proc_tree.make_directory("net/netstat");
  const auto collection = fixture.collect(*nstat());
  EXPECT_THAT(lines_of(collection.families), ElementsAre("inetdiag_nstat_tcp_in_segs_total 70"));
  EXPECT_THAT(collection.errors, ElementsAre(HasSubstr("net/netstat")));
}

TEST(Nstat, FailsIfThereAreNoCounters) {
  CollectorFixture fixture;
  EXPECT_THAT(fixture.collect(*nstat()).errors, Not(IsEmpty()));
}

TEST(Nstat, ExportsAllCountersOfARecentKernel) {
  CollectorFixture fixture;
  const auto collector = nstat();
  const auto families = fixture.collect_from(*collector, FIXTURES "/proc").families;
  const auto group = [&](const std::string& prefix) {
    return std::ranges::count_if(families, [&](const auto& family) {
      return family.name.starts_with("inetdiag_nstat_" + prefix);
    });
  };
  EXPECT_EQ(group("tcpext_"), 135);
  EXPECT_EQ(group("tcp_"), 15);
  EXPECT_GT(group("ip6_"), 20);
  for (const auto& family : families) {
    EXPECT_EQ(family.name.ends_with("_total"), family.type == prometheus::MetricType::Counter);
  }
}

TEST(NstatNetnsInclude, MatchesCountersOfQueuesDropsAndRetransmissions) {
  const kernel::Regex include(nstat_netns_include);
  for (const auto* name :
       {"TcpExtListenDrops", "TcpExtListenOverflows", "TcpExtTCPReqQFullDoCookies",
        "TcpExtTCPReqQFullDrop", "TcpExtSyncookiesSent", "TcpExtTCPTimeWaitOverflow",
        "TcpRetransSegs", "TcpOutRsts", "TcpEstabResets", "UdpRcvbufErrors", "Udp6RcvbufErrors",
        "TcpExtTCPAbortOnMemory"}) {
    EXPECT_TRUE(include.matches(name)) << name;
  }
  for (const auto* name : {"IpInReceives", "TcpExtTCPPureAcks", "Ip6InOctets", "IcmpInMsgs"}) {
    EXPECT_FALSE(include.matches(name)) << name;
  }
}

TEST(Nstat, CountersAreCreatedWithTheirNamespace) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/snmp", "Tcp: RtoMin InSegs\nTcp: 200 7\n");
  const auto collector = make_nstat({});
  EXPECT_EQ(created_of(fixture.collect(*collector).families, "inetdiag_nstat_tcp_in_segs"),
            std::nullopt);
  fixture.namespace_created =
      std::chrono::system_clock::time_point(std::chrono::seconds(1700000000));
  const auto families = fixture.collect(*collector).families;
  EXPECT_EQ(created_of(families, "inetdiag_nstat_tcp_in_segs"), 1700000000);
  EXPECT_EQ(created_of(families, "inetdiag_nstat_tcp_rto_min"), std::nullopt);
}

}  // namespace
}  // namespace inetdiag
