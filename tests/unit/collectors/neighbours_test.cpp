#include "collectors/neighbours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Linux 6.18, two CPUs.
constexpr std::string_view neighbour_statistics =
    "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast "
    "rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n"
    "000000ff 0002d72e 000308d1 00000000   0000819b 00000004 00000000   00000000         00000000  "
    "       00000000         00000177       00000000            00000001\n"
    "000000ff 0004565e 000424b9 00000008   00008481 00000144 00000000   00000000         00000000  "
    "       000015a0         0000020d       00000000            00000010\n";

TEST(Neighbours, ExportEntriesOfTheTableAndSumsOfTheCpus) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/stat/arp_cache", neighbour_statistics);
  fixture.proc_tree.write("sys/net/ipv4/neigh/default/gc_thresh3", "1024\n");
  fixture.proc_tree.write("net/stat/ndisc_cache", "entries\n00000002\n");
  EXPECT_THAT(fixture.lines(*make_neighbours({})),
              ElementsAre("inetdiag_neighbour_entries{family=\"ipv4\"} 255",
                          "inetdiag_neighbour_entries{family=\"ipv6\"} 2",
                          "inetdiag_neighbour_limit{family=\"ipv4\"} 1024",
                          "inetdiag_neighbour_table_fulls_total{family=\"ipv4\"} 17",
                          "inetdiag_neighbour_forced_gc_runs_total{family=\"ipv4\"} 900"));
}

TEST(Neighbours, AreAMissingFeatureOutsideTheInitialNamespace) {
  CollectorFixture fixture;
  const auto collection = fixture.collect(*make_neighbours({}));
  EXPECT_THAT(lines_of(collection.families), IsEmpty());
  EXPECT_THAT(collection.errors, IsEmpty());
  EXPECT_THAT(collection.missing, ElementsAre(HasSubstr("initial network namespace")));
}

}  // namespace
}  // namespace inetdiag
