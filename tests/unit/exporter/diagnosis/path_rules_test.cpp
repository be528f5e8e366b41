#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/diagnosed_host.h"

namespace inetdiag::diagnosis {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

TEST(Softnet, NamesTheCpuThatDropped) {
  DiagnosedHost host;
  host.now.dropped_by_cpu["1"] = 10;
  EXPECT_THAT(host.names(), ElementsAre("warning softnet_dropping"));
  EXPECT_EQ(host.first().affected.name, "CPU 1");
  EXPECT_THAT(host.first().evidence, Contains(Pair("new_drops", std::optional(10.0))));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(Softnet, ASmallBurstIsNoFinding) {
  DiagnosedHost host;
  host.now.dropped_by_cpu["1"] = 9;
  EXPECT_THAT(host.names(), IsEmpty());
  host.now.dropped_by_cpu["0"] += 1;
  EXPECT_EQ(host.first().affected.name, "CPU 0, 1");
}

TEST(Softnet, ANewCpuDidNotDropAllOfItsPacketsNow) {
  DiagnosedHost host;
  host.now.dropped_by_cpu["2"] = 5000;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(NeighbourTables, AreNearlyFullFromEightyPercent) {
  DiagnosedHost host;
  host.set("inetdiag_neighbour_entries{ipv6}", 799);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set("inetdiag_neighbour_entries{ipv6}", 800);
  EXPECT_THAT(host.names(), ElementsAre("warning neighbour_table_nearly_full"));
  EXPECT_EQ(host.first().affected.name, "net.ipv6.neigh.default.gc_thresh3");
  EXPECT_THAT(host.first().action, HasSubstr("`ip -6 neigh"));
}

TEST(NeighbourTables, MayHaveManyEntriesThatDoNotCount) {
  DiagnosedHost host;
  host.set("inetdiag_neighbour_entries{ipv4}", 5000);
  host.set_in_both("inetdiag_neighbour_forced_gc_runs_total{ipv4}", 0);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(NeighbourTables, AreFullIfTheKernelCountsIt) {
  DiagnosedHost host;
  host.grow("inetdiag_neighbour_table_fulls_total{ipv4}", 1);
  EXPECT_THAT(host.names(), ElementsAre("warning neighbour_table_full"));
  EXPECT_THAT(host.names(false), IsEmpty());
  host.grow("inetdiag_neighbour_table_fulls_total{ipv4}", 50);
  EXPECT_THAT(host.names(), ElementsAre("critical neighbour_table_full"));
  EXPECT_THAT(host.first().summary, HasSubstr("50 times in the last 10 s"));
  EXPECT_EQ(host.first().damage.per_second, 5);
}

TEST(FragmentRules, DistinguishANearlyFullMemoryFromOneThatDrops) {
  DiagnosedHost host;
  host.set("inetdiag_fragments_memory_bytes{ipv4}", 3'199'999);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set("inetdiag_fragments_memory_bytes{ipv4}", 3'200'000);
  host.grow("inetdiag_nstat_ip_reasm_fails_total", 100);
  EXPECT_THAT(host.names(), ElementsAre("warning fragments_nearly_full"));
  host.set("inetdiag_fragments_memory_bytes{ipv4}", 3'800'000);
  EXPECT_THAT(host.names(), ElementsAre("critical fragments_full"));
  EXPECT_THAT(host.first().limit, HasSubstr("net.ipv4.ipfrag_high_thresh = 3.8 MiB"));
  host.grow("inetdiag_nstat_ip_reasm_fails_total", 0);
  EXPECT_THAT(host.names(), ElementsAre("warning fragments_nearly_full"));
}

TEST(FragmentRules, FailuresWithoutPressureAreNoFinding) {
  DiagnosedHost host;
  host.grow("inetdiag_nstat_ip_reasm_fails_total", 1000);
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(RouteCacheRule, WarnsBelowTheLimitOnly) {
  DiagnosedHost host;
  host.set(metric::route_cache_entries, 3276);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::route_cache_entries, 3277);
  EXPECT_THAT(host.names(), ElementsAre("warning route_cache_nearly_full"));
  host.set(metric::route_cache_entries, 4600);  // so it is not enforced
  EXPECT_THAT(host.names(), IsEmpty());
}

Qdisc& sent_and_dropped(DiagnosedHost& host, double sent, double dropped) {
  Qdisc& now = host.now.qdiscs.front();
  const Qdisc& before = host.before.qdiscs.front();
  now.packets = before.packets + sent;
  now.drops = before.drops + dropped;
  return now;
}

TEST(QdiscRule, NeedsAShareOfDropsThatHurts) {
  DiagnosedHost host;
  sent_and_dropped(host, 950, 49);
  EXPECT_THAT(host.names(), IsEmpty());
  sent_and_dropped(host, 951, 50);  // 4.995 %
  EXPECT_THAT(host.names(), IsEmpty());
  sent_and_dropped(host, 950, 50);
  EXPECT_THAT(host.names(), ElementsAre("warning qdisc_dropping"));
  EXPECT_EQ(host.first().affected.name, "device eth0 (fq_codel)");
  EXPECT_EQ(host.first().limit, "queue limit of 10240 packets");
  EXPECT_THAT(host.first().summary, HasSubstr("50 packets in the last 10 s, 5 %"));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(QdiscRule, AConfiguredRateIsANotice) {
  DiagnosedHost host;
  host.before.qdiscs.front().kind = "tbf";
  sent_and_dropped(host, 100, 100).kind = "tbf";
  EXPECT_THAT(host.names(), ElementsAre("notice qdisc_rate_exceeded"));
}

TEST(QdiscRule, IgnoresEmulatedLossAndAReplacedQdisc) {
  DiagnosedHost host;
  sent_and_dropped(host, 100, 100).kind = "pfifo";
  EXPECT_THAT(host.names(), IsEmpty());
  host.before.qdiscs.front().kind = "netem";
  host.now.qdiscs.front().kind = "netem";
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(DroppingSocketsRule, NamesTheProcessWhoseSocketLostMessages) {
  DiagnosedHost host;
  DroppingSockets& netlink = host.now.dropping_sockets.front();
  netlink.by_inode["9"] = {.drops = 10, .pid = "5", .comm = "zebra"};
  netlink.drops = 59;
  EXPECT_THAT(host.names(), IsEmpty());
  netlink.drops = 60;
  EXPECT_THAT(host.names(), ElementsAre("warning netlink_messages_lost"));
  EXPECT_EQ(host.first().affected.name, "netlink route sockets of zebra (PID 5)");
  EXPECT_THAT(host.first().action, Not(HasSubstr("ss -f netlink")));
  netlink.by_inode["9"].pid.clear();
  EXPECT_EQ(host.first().affected.name, "netlink route sockets");
  EXPECT_THAT(host.first().action, HasSubstr("`ss -f netlink -p`"));
  EXPECT_EQ(host.first().metric, "inetdiag_netlink_drops_total{protocol=\"route\"}");
}

TEST(DroppingSocketsRule, SaysWhetherTheProgramReads) {
  DiagnosedHost host;
  DroppingSockets& netlink = host.now.dropping_sockets.front();
  netlink.drops = 100;
  netlink.by_inode["7"].drops = 100;
  netlink.by_inode["7"].queued_bytes = 100;
  EXPECT_THAT(host.first().summary, HasSubstr("does not read its receive buffer fast enough"));
  host.before.dropping_sockets.front().by_inode["7"].queued_bytes = 100;
  EXPECT_THAT(host.first().summary, HasSubstr("is full and its program does not read it"));
}

TEST(DroppingSocketsRule, ARawSocketThatIsNotReadMayBelongToAProgramThatOnlySends) {
  DiagnosedHost host;
  DroppingSockets& raw = host.now.dropping_sockets.back();
  DroppingSocket& socket = raw.by_inode["8"];
  socket.drops = raw.drops = 5000;
  EXPECT_THAT(host.names(), IsEmpty());
  socket.queued_bytes = 300'000;  // it was not full before
  EXPECT_THAT(host.names(), IsEmpty());
  socket.queued_bytes = 4096;
  EXPECT_THAT(host.names(), ElementsAre("warning raw_packets_dropped"));
  EXPECT_THAT(host.first().affected.labels, Contains(Pair("family", "ipv4")));
  socket.queued_bytes = host.before.dropping_sockets.back().by_inode["8"].queued_bytes = 0;
  EXPECT_THAT(host.names(), ElementsAre("warning raw_packets_dropped"));
}

TEST(DroppingSocketsRule, OldDropsOfASocketThatGetsARecordAreNotNew) {
  DiagnosedHost host;
  DroppingSockets& raw = host.now.dropping_sockets.back();
  raw.by_inode["9"] = {.drops = 5000};  // one of the ten with most drops, since another has closed
  EXPECT_THAT(host.names(), IsEmpty());
  raw.drops += 9;
  EXPECT_THAT(host.names(), IsEmpty());
}

TEST(DroppingSocketsRule, ReadersDoNotMakeTheDropsOfAnotherRawSocketAFinding) {
  DiagnosedHost host;
  for (Namespace* snapshot : {&host.before, &host.now}) {
    snapshot->dropping_sockets.back().by_inode["9"] = {.drops = 1, .queued_bytes = 5000};
  }
  DroppingSockets& raw = host.now.dropping_sockets.back();
  raw.by_inode["8"].drops = raw.drops = 5000;
  raw.by_inode["9"].queued_bytes = 0;
  EXPECT_THAT(host.names(), IsEmpty());
  raw.by_inode["10"] = {.drops = 100, .queued_bytes = 5000};  // its first drops
  EXPECT_THAT(host.names(), IsEmpty());
  raw.by_inode["10"].queued_bytes = 0;
  EXPECT_THAT(host.names(), ElementsAre("warning raw_packets_dropped"));
}

}  // namespace
}  // namespace inetdiag::diagnosis
