#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/diagnosed_host.h"

namespace inetdiag::diagnosis {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(EphemeralPorts, AreNearlyExhaustedFromEightyPercent) {
  DiagnosedHost host;
  host.set(metric::ephemeral_ports_usable, 28232);
  host.set(metric::ephemeral_ports_fill, 0.79);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::ephemeral_ports_fill, 0.8);
  EXPECT_THAT(host.names(), ElementsAre("warning ephemeral_ports_nearly_exhausted"));
  EXPECT_THAT(host.findings().front().limit, HasSubstr("28232 usable ports"));
  host.set(metric::ephemeral_ports_fill, 0.98);
  EXPECT_THAT(host.names(), ElementsAre("warning ephemeral_ports_nearly_exhausted"));
  host.set(metric::ephemeral_ports_fill, 0.99);
  EXPECT_THAT(host.names(), ElementsAre("critical ephemeral_ports_exhausted"));
}

TEST(TimeWait, IsNearItsLimitFromEightyPercent) {
  DiagnosedHost host;
  host.set(metric::timewaits, 799);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::timewaits, 800);
  EXPECT_THAT(host.names(), ElementsAre("warning time_wait_nearly_full"));
  host.set(metric::timewaits, 1000);
  EXPECT_THAT(host.names(), ElementsAre("warning time_wait_full"));
}

TEST(TimeWait, IsFullIfOverflowsGrow) {
  DiagnosedHost host;
  host.grow(metric::time_wait_overflows, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning time_wait_full"));
  EXPECT_THAT(host.names(false), IsEmpty());
}

TEST(Orphans, AreNearTheirLimitFromHalfOfIt) {
  DiagnosedHost host;
  host.set(metric::orphans, 499);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::orphans, 500);
  EXPECT_THAT(host.names(), ElementsAre("warning orphans_near_limit"));
  host.set(metric::orphans, 1000);
  EXPECT_THAT(host.names(), ElementsAre("critical orphans_full"));
}

TEST(TcpMemory, HasThresholds) {
  DiagnosedHost host;
  host.set(metric::tcp_memory_bytes, 409'599);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::tcp_memory_bytes, 409'600);
  EXPECT_THAT(host.names(), ElementsAre("warning tcp_memory_pressure"));
  host.set(metric::tcp_memory_bytes, 819'200);
  EXPECT_THAT(host.names(), ElementsAre("critical tcp_memory_full"));
}

TEST(TcpMemory, CountersRevealPressureAndAborts) {
  DiagnosedHost host;
  host.grow(metric::memory_pressures, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning tcp_memory_pressure"));
  host.grow(metric::memory_aborts, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical tcp_memory_full"));
}

TEST(TcpMemory, IsNotBlamedForResetsOfOrphansBelowItsThresholds) {
  DiagnosedHost host;
  host.grow(metric::memory_aborts, 5);
  EXPECT_THAT(host.names(), ElementsAre("warning orphans_reset"));
  EXPECT_EQ(host.first().affected.name, "net.ipv4.tcp_max_orphans");
}

TEST(Conntrack, IsFullNearlyFullOrDropping) {
  DiagnosedHost host;
  host.set(metric::conntrack_entries, 799);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::conntrack_entries, 800);
  EXPECT_THAT(host.names(), ElementsAre("warning conntrack_nearly_full"));
  host.set(metric::conntrack_entries, 1000);
  EXPECT_THAT(host.names(), ElementsAre("critical conntrack_full"));
  host.set(metric::conntrack_entries, 10);
  host.grow(metric::conntrack_early_drops, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning conntrack_nearly_full"));
  host.grow(metric::conntrack_drops, 1);
  EXPECT_THAT(host.names(), ElementsAre("critical conntrack_full"));
}

TEST(Conntrack, DropsOfAnEmptyTableHaveAnotherCause) {
  DiagnosedHost host;
  host.grow(metric::conntrack_drops, 1);
  EXPECT_THAT(host.names(), ElementsAre("warning conntrack_dropping"));
  EXPECT_THAT(host.first().action, HasSubstr("nf_conntrack_max does not help"));
}

TEST(OpenFiles, AreNearTheirLimitFromEightyPercent) {
  DiagnosedHost host;
  host.set(metric::open_files, 799);
  EXPECT_THAT(host.names(), IsEmpty());
  host.set(metric::open_files, 800);
  EXPECT_THAT(host.names(), ElementsAre("warning open_files_nearly_exhausted"));
  host.set(metric::open_files, 1000);
  EXPECT_THAT(host.names(), ElementsAre("critical open_files_exhausted"));
  EXPECT_EQ(host.first().limit, "fs.file-max = 1000");
}

}  // namespace
}  // namespace inetdiag::diagnosis
