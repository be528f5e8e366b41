#include "collectors/conntrack.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "collectors/kernel/netlink/conntrack_stats.h"
#include "collectors/kernel/proc/stat_table.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::add_conntrack_stats;
using kernel::ConntrackStats;
using kernel::parse_stat_table;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// The columns of Linux 4.18; later kernels renamed `searched` and `delete_list`.
constexpr std::string_view conntrack_stat_of_4_18 =
    "entries  searched found new invalid ignore delete delete_list insert insert_failed drop "
    "early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
    "0000000a  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 0000000f "
    "00000001 00000002 00000000  00000000 00000000 00000000 00000003\n"
    "0000000a  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 "
    "00000010 00000000 00000000  00000000 00000000 00000000 00000000\n";

TEST(ParseStatTable, SumsTheColumnsOverCpus) {
  const auto columns = parse_stat_table(conntrack_stat_of_4_18);
  EXPECT_EQ(columns.find("insert_failed")->second.sum, 16U);
  EXPECT_EQ(columns.find("drop")->second.sum, 17U);
  EXPECT_EQ(columns.find("early_drop")->second.sum, 2U);
  EXPECT_EQ(columns.find("search_restart")->second.sum, 3U);
  EXPECT_EQ(columns.find("entries")->second.first, 10U);
}

TEST(ParseStatTable, IgnoresInvalidText) {
  EXPECT_THAT(parse_stat_table(""), IsEmpty());
  EXPECT_THAT(parse_stat_table("a b c"), IsEmpty());
  EXPECT_THAT(parse_stat_table("a b\nx 1\n"), IsEmpty());
  EXPECT_THAT(parse_stat_table("a b\n1\n"), ElementsAre(::testing::Key("a")));
  EXPECT_THAT(parse_stat_table("a\n1 2 3\n"), ElementsAre(::testing::Key("a")));
  EXPECT_THAT(parse_stat_table("\n1 2\n"), IsEmpty());
}

TEST(Conntrack, ExportsEntriesLimitAndFailures) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/netfilter/nf_conntrack_count", "10\n");
  fixture.proc_tree.write("sys/net/netfilter/nf_conntrack_max", "262144\n");
  fixture.proc_tree.write("net/stat/nf_conntrack", conntrack_stat_of_4_18);
  EXPECT_THAT(
      fixture.lines(*make_conntrack({})),
      UnorderedElementsAre(
          "inetdiag_conntrack_entries 10", "inetdiag_conntrack_limit 262144",
          "inetdiag_conntrack_insert_failed_total 16", "inetdiag_conntrack_drop_total 17",
          "inetdiag_conntrack_early_drop_total 2", "inetdiag_conntrack_search_restart_total 3"));
}

/// The counters of one CPU by attribute.
Bytes cpu_stats(const std::map<int, std::uint32_t>& counters) {
  Bytes bytes = bytes_of(nfgenmsg{});
  for (const auto& [type, value] : counters) {
    append_attribute(bytes, type, bytes_of(htonl(value)));
  }
  return bytes;
}

TEST(AddConntrackStats, SumsTheCountersOverCpus) {
  ConntrackStats stats;
  add_conntrack_stats(stats, cpu_stats({{CTA_STATS_FOUND, 99},
                                        {CTA_STATS_INSERT_FAILED, 15},
                                        {CTA_STATS_DROP, 0xffffffff},
                                        {CTA_STATS_SEARCH_RESTART, 3},
                                        {1000, 5}}));
  add_conntrack_stats(stats, cpu_stats({{CTA_STATS_INSERT_FAILED, 1}, {CTA_STATS_DROP, 2}}));
  EXPECT_EQ(stats.insert_failed, 16U);
  EXPECT_EQ(stats.drop, 0x1'0000'0001U);
  EXPECT_FALSE(stats.early_drop);
  EXPECT_EQ(stats.search_restart, 3U);
}

TEST(AddConntrackStats, IgnoresMalformedMessages) {
  const Bytes complete = cpu_stats({{CTA_STATS_DROP, 7}});
  for (std::size_t length = 0; length < complete.size(); ++length) {
    ConntrackStats stats;
    add_conntrack_stats(stats, std::span(complete).first(length));
    EXPECT_FALSE(stats.drop) << length;
  }
  for (const int claimed : {0, 3, 4, 5, 7, 9, 0xffff}) {
    Bytes bytes = bytes_of(nfgenmsg{});
    append_attribute(bytes, CTA_STATS_DROP, bytes_of(htonl(7)), claimed);
    ConntrackStats stats;
    add_conntrack_stats(stats, bytes);
    EXPECT_FALSE(stats.drop) << claimed;
  }
}

TEST(Conntrack, ReadsTheCountersOverNfnetlinkIfTheFileIsMissing) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/netfilter/nf_conntrack_count", "10\n");
  fixture.kernel.conntrack_stats = {
      cpu_stats({{CTA_STATS_DROP, 1}, {CTA_STATS_EARLY_DROP, 2}, {CTA_STATS_INSERT_FAILED, 3}}),
      cpu_stats({{CTA_STATS_DROP, 4}, {CTA_STATS_EARLY_DROP, 5}, {CTA_STATS_INSERT_FAILED, 6}})};
  const auto collection = fixture.collect(*make_conntrack({}));
  EXPECT_THAT(
      lines_of(collection.families),
      UnorderedElementsAre("inetdiag_conntrack_entries 10", "inetdiag_conntrack_drop_total 5",
                           "inetdiag_conntrack_early_drop_total 7",
                           "inetdiag_conntrack_insert_failed_total 9"));
  EXPECT_THAT(collection.missing, IsEmpty());
}

TEST(Conntrack, ReportsWhatNfnetlinkNeeds) {
  CollectorFixture fixture;
  fixture.proc_tree.write("sys/net/netfilter/nf_conntrack_count", "10\n");
  for (const auto& [error, needs] :
       {std::pair(-EPERM, "need CAP_NET_ADMIN"), {-EINVAL, "modprobe nf_conntrack_netlink"}}) {
    fixture.kernel.netfilter_error = error;
    const auto collection = fixture.collect(*make_conntrack({}));
    EXPECT_THAT(lines_of(collection.families), ElementsAre("inetdiag_conntrack_entries 10"));
    EXPECT_THAT(collection.errors, IsEmpty());
    EXPECT_THAT(collection.missing, ElementsAre(HasSubstr(needs)));
  }
}

TEST(Conntrack, NeedsNfnetlinkOnlyWithoutTheFile) {
  const TemporaryTree tree;
  const kernel::FileTree proc(tree.root());
  EXPECT_TRUE(needs_nfnetlink(proc));
  tree.write("net/stat/nf_conntrack", conntrack_stat_of_4_18);
  EXPECT_FALSE(needs_nfnetlink(proc));
}

TEST(Conntrack, ReportsAMissingModuleAsAMissingFeature) {
  CollectorFixture fixture;
  const auto collection = fixture.collect(*make_conntrack({}));
  EXPECT_THAT(collection.families, IsEmpty());
  EXPECT_THAT(collection.errors, IsEmpty());
  EXPECT_THAT(collection.missing, ElementsAre(HasSubstr("nf_conntrack")));
}

}  // namespace
}  // namespace inetdiag
