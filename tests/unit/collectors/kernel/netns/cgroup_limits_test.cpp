#include "collectors/kernel/netns/cgroup_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/kernel/netns/socket_processes.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::kernel {
namespace {

using inetdiag::testing::TemporaryTree;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(KeyedValue, IsThatOfTheCompleteKey) {
  EXPECT_EQ(keyed_value("oom_kill 3\noom 2\n", "oom"), 2U);
  for (const char* text : {"", "oom", "oom x", "oom -1", "oom 99999999999999999999", "oomm 1"}) {
    EXPECT_EQ(keyed_value(text, "oom"), std::nullopt) << text;
  }
}

TEST(Pressure, IsTheShareOfTheLastTenSeconds) {
  EXPECT_EQ(parse_pressure("some avg10=12.50 avg60=1.00 avg300=0.10 total=5\n"
                           "full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n"),
            0.125);
  for (const char* text : {"", "some", "some avg10", "some avg10=", "some avg10=nan",
                           "some avg10=-1", "some avg10=101", "some avg60=1", "full avg10=1.00"}) {
    EXPECT_EQ(parse_pressure(text), std::nullopt) << text;
  }
}

TEST(CpuMax, IsANumberOfCpus) {
  EXPECT_EQ(parse_cpu_max("50000 100000\n"), 0.5);
  for (const char* text : {"", "max 100000", "50000", "50000 0", "-1 100000", "a b"}) {
    EXPECT_EQ(parse_cpu_max(text), std::nullopt) << text;
  }
}

TEST(CgroupLimit, IsAbsentIfUnlimited) {
  EXPECT_EQ(parse_limit("4096\n"), 4096U);
  for (const char* text : {"", "max\n", "9223372036854771712\n", "-1", "1 2"}) {
    EXPECT_EQ(parse_limit(text), std::nullopt) << text;
  }
}

TEST(ProcessCgroups, AreThoseOfTheControllers) {
  EXPECT_THAT(
      parse_process_cgroups("5:name=systemd:/s\n4:cpu,cpuacct:/a\n3:memory:/../b\n0::/c:d\n"),
      ElementsAre(Pair("", "/c:d"), Pair("cpu", "/a"), Pair("cpuacct", "/a")));
  for (const char* text : {"", ":", "::", "0::", "0::relative", "0::/..", "0::/a/../b", "\n\n"}) {
    EXPECT_THAT(parse_process_cgroups(text), IsEmpty()) << text;
  }
}

TEST(CgroupProcesses, AreNumbers) {
  EXPECT_THAT(parse_cgroup_processes("1\n0\n22\n-3\nx\n99999999999\n"), ElementsAre(1, 0, 22));
}

TEST(CgroupLimitsOfV2, IncludeThoseOfAncestors) {
  const TemporaryTree sys;
  sys.write("fs/cgroup/cgroup.controllers", "");
  sys.write("fs/cgroup/a/cgroup.freeze", "1\n");
  sys.write("fs/cgroup/a/cpu.max", "1000 100000\n");
  sys.write("fs/cgroup/a/cpu.stat", "nr_periods 10\nnr_throttled 9\nthrottled_usec 1500000\n");
  sys.write("fs/cgroup/a/b/cgroup.events", "populated 1\nfrozen 1\n");
  sys.write("fs/cgroup/a/b/cgroup.freeze", "0\n");
  sys.write("fs/cgroup/a/b/cpu.max", "max 100000\n");
  sys.write("fs/cgroup/a/b/memory.current", "90\n");
  sys.write("fs/cgroup/a/b/memory.max", "max\n");
  sys.write("fs/cgroup/a/b/memory.high", "100\n");
  sys.write("fs/cgroup/a/b/memory.events", "low 0\nhigh 7\nmax 0\noom 0\noom_kill 0\n");
  sys.write("fs/cgroup/a/memory.current", "95\n");
  sys.write("fs/cgroup/a/memory.max", "1000\n");
  sys.write("fs/cgroup/a/memory.events", "low 0\nhigh 7\nmax 3\noom 2\noom_kill 2\n");
  sys.write("fs/cgroup/a/b/memory.pressure", "some avg10=50.00 avg60=1 avg300=1 total=1\n");
  sys.write("fs/cgroup/a/pids.current", "5\n");
  sys.write("fs/cgroup/a/pids.max", "5\n");
  sys.write("fs/cgroup/a/b/pids.current", "4\n");
  sys.write("fs/cgroup/a/b/pids.max", "100\n");
  const CgroupLimits limits = read_cgroup_limits(FileTree(sys.root()), {{"", "/a/b"}});
  EXPECT_EQ(limits.frozen, (CgroupDirectory{"", "/a"}));
  ASSERT_EQ(limits.cpu_quotas.size(), 1U);
  EXPECT_EQ(limits.cpu_quotas[0].cgroup.path, "/a");
  EXPECT_EQ(limits.cpu_quotas[0].cpus, 0.01);
  EXPECT_EQ(limits.cpu_quotas[0].throttled_seconds, 1.5);
  ASSERT_EQ(limits.memory.size(), 2U);
  EXPECT_EQ(limits.memory[0].limit_bytes, 100U);
  EXPECT_THAT(limits.memory[0].events, ::testing::Contains(Pair("high", 7)));
  EXPECT_EQ(limits.memory[1].limit_bytes, 1000U);
  EXPECT_THAT(limits.memory[1].events, IsEmpty()) << "they include other descendants";
  ASSERT_EQ(limits.processes.size(), 2U);
  EXPECT_EQ(limits.processes[0].cgroup.path, "/a/b");
  EXPECT_EQ(limits.processes[1].cgroup.path, "/a");
  EXPECT_THAT(limits.pressure, ElementsAre(Pair("memory", 0.5)));
}

TEST(CgroupLimitsOfV2, HaveMemoryEventsOfEachCgroupWithoutItsDescendants) {
  const TemporaryTree sys;
  sys.write("fs/cgroup/cgroup.controllers", "");
  for (const char* path : {"fs/cgroup/a/", "fs/cgroup/a/b/"}) {
    const std::string directory = path;
    sys.write(directory + "memory.current", "90\n");
    sys.write(directory + "memory.max", "100\n");
    sys.write(directory + "memory.events", "high 9\nmax 9\noom 9\noom_kill 9\n");
    sys.write(directory + "memory.events.local", "high 0\nmax 2\noom 1\noom_kill 1\n");
  }
  const CgroupLimits limits = read_cgroup_limits(FileTree(sys.root()), {{"", "/a/b"}});
  ASSERT_EQ(limits.memory.size(), 2U);
  EXPECT_THAT(limits.memory[0].events,
              ElementsAre(Pair("high", 0), Pair("max", 2), Pair("oom", 1), Pair("oom_kill", 1)));
  EXPECT_THAT(limits.memory[1].events,
              ElementsAre(Pair("high", 0), Pair("max", 2), Pair("oom", 1)));
}

TEST(CgroupLimitsOfV1, AreThoseOfEachController) {
  const TemporaryTree sys;
  sys.write("fs/cgroup/freezer/f/freezer.state", "FROZEN\n");
  sys.write("fs/cgroup/freezer/f/freezer.self_freezing", "1\n");
  sys.write("fs/cgroup/cpu/c/cpu.cfs_quota_us", "1000\n");
  sys.write("fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
  sys.write("fs/cgroup/cpu/c/cpu.stat",
            "nr_periods 10\nnr_throttled 9\nthrottled_time 2500000000\n");
  sys.write("fs/cgroup/memory/m/memory.usage_in_bytes", "50\n");
  sys.write("fs/cgroup/memory/m/memory.limit_in_bytes", "100\n");
  sys.write("fs/cgroup/memory/m/memory.failcnt", "3\n");
  sys.write("fs/cgroup/memory/m/memory.oom_control", "under_oom 0\noom_kill 1\n");
  const CgroupLimits limits = read_cgroup_limits(
      FileTree(sys.root()), {{"freezer", "/f"}, {"cpu", "/c"}, {"memory", "/m"}, {"pids", "/"}});
  EXPECT_EQ(limits.frozen, (CgroupDirectory{"freezer", "/f"}));
  ASSERT_EQ(limits.cpu_quotas.size(), 1U);
  EXPECT_EQ(limits.cpu_quotas[0].throttled_seconds, 2.5);
  ASSERT_EQ(limits.memory.size(), 1U);
  EXPECT_THAT(limits.memory[0].events, ElementsAre(Pair("max", 3), Pair("oom_kill", 1)));
  EXPECT_THAT(limits.processes, IsEmpty());
}

TEST(CgroupLimitsOfAnEmptyTree, AreAbsent) {
  const TemporaryTree sys;
  const CgroupLimits limits =
      read_cgroup_limits(FileTree(sys.root()), {{"", "/a"}, {"freezer", "/a"}, {"cpu", "/a"}});
  EXPECT_FALSE(limits.has_freezer || limits.frozen);
  EXPECT_THAT(limits.memory, IsEmpty());
  EXPECT_THAT(limits.processes, IsEmpty());
  EXPECT_THAT(limits.cpu_quotas, IsEmpty());
}

}  // namespace
}  // namespace inetdiag::kernel
