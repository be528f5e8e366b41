#include "collectors/softnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kernel/proc/softnet.h"
#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using kernel::parse_softnet;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// Linux 4.18: eleven columns, the line number is the CPU.
constexpr std::string_view softnet_stat_of_4_18 =
    "000000ff 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000003 "
    "00000004\n"
    "00000100 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
    "00000000\n";
// Linux 5.15 and 6.1: with the backlog and the CPU; CPU 1 is offline.
constexpr std::string_view softnet_stat_of_5_15 =
    "000000ff 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000003 "
    "00000004 00000005 00000000\n"
    "00000100 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
    "00000000 00000000 00000002\n";
// Linux 6.18: followed by the two parts of the backlog.
constexpr std::string_view linux_6_18 =
    "000000ff 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000003 "
    "00000004 00000005 00000007 00000001 00000004\n";

TEST(ParseSoftnet, ParsesTheColumnsOfEachKernelVersion) {
  const auto old = parse_softnet(softnet_stat_of_4_18);
  ASSERT_EQ(old.size(), 2U);
  EXPECT_EQ(old[0].processed, 255U);
  EXPECT_EQ(old[0].dropped, 1U);
  EXPECT_EQ(old[0].time_squeezed, 2U);
  EXPECT_EQ(old[0].received_rps, 3U);
  EXPECT_EQ(old[0].flow_limit, 4U);
  EXPECT_FALSE(old[0].backlog_length);
  EXPECT_EQ(old[1].cpu, 1U);

  const auto middle = parse_softnet(softnet_stat_of_5_15);
  ASSERT_EQ(middle.size(), 2U);
  EXPECT_EQ(middle[0].backlog_length, 5U);
  EXPECT_EQ(middle[1].cpu, 2U);

  const auto recent = parse_softnet(linux_6_18);
  ASSERT_EQ(recent.size(), 1U);
  EXPECT_EQ(recent[0].cpu, 7U);
  EXPECT_EQ(recent[0].backlog_length, 5U);
}

TEST(ParseSoftnet, IgnoresInvalidLines) {
  EXPECT_THAT(parse_softnet(""), IsEmpty());
  EXPECT_THAT(parse_softnet("\n\n"), IsEmpty());
  EXPECT_THAT(parse_softnet("00000001 00000002\n"), IsEmpty());
  EXPECT_THAT(parse_softnet("1 2 xyz\n"), IsEmpty());
  EXPECT_THAT(parse_softnet("1 2 fffffffffffffffff\n"), IsEmpty());
  const auto cpus = parse_softnet("garbage\n1 2 3");
  ASSERT_EQ(cpus.size(), 1U);
  EXPECT_EQ(cpus[0].cpu, 1U);
}

TEST(Softnet, OmitsColumnsThatTheKernelDoesNotHave) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/softnet_stat", softnet_stat_of_4_18);
  const auto lines = fixture.lines(*make_softnet({}));
  EXPECT_THAT(lines, Contains(R"(inetdiag_softnet_processed_total{cpu="0"} 255)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_softnet_dropped_total{cpu="0"} 1)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_softnet_time_squeezed_total{cpu="0"} 2)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_softnet_received_rps_total{cpu="0"} 3)"));
  EXPECT_THAT(lines, Contains(R"(inetdiag_softnet_flow_limit_total{cpu="0"} 4)"));
  EXPECT_THAT(lines, Not(Contains(StartsWith("inetdiag_softnet_backlog_length"))));
  fixture.proc_tree.write("net/softnet_stat", linux_6_18);
  EXPECT_THAT(fixture.lines(*make_softnet({})),
              Contains(R"(inetdiag_softnet_backlog_length{cpu="7"} 5)"));
}

// Found by tests/fuzz: a duplicate series.
TEST(Softnet, ExportsACpuOnce) {
  CollectorFixture fixture;
  fixture.proc_tree.write("net/softnet_stat", "1 0 0\n2 0 0 0 0 0 0 0 0 0 0 0 0\n");
  const auto lines = fixture.lines(*make_softnet({}));
  EXPECT_THAT(lines, Contains(R"(inetdiag_softnet_processed_total{cpu="0"} 1)"));
  EXPECT_THAT(lines, Not(Contains(R"(inetdiag_softnet_processed_total{cpu="0"} 2)")));
}

TEST(Softnet, FailsIfThereAreNoCpus) {
  CollectorFixture fixture;
  EXPECT_THAT(fixture.collect(*make_softnet({})).errors, Not(IsEmpty()));
}

}  // namespace
}  // namespace inetdiag
