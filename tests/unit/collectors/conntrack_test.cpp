#include "collectors/conntrack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kernel/proc/stat_table.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
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

TEST(Conntrack, ReportsAMissingModuleAsAMissingFeature) {
  CollectorFixture fixture;
  const auto collection = fixture.collect(*make_conntrack({}));
  EXPECT_THAT(collection.families, IsEmpty());
  EXPECT_THAT(collection.errors, IsEmpty());
  EXPECT_THAT(collection.missing, ElementsAre(HasSubstr("nf_conntrack")));
}

}  // namespace
}  // namespace inetdiag
