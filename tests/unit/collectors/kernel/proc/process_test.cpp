#include "collectors/kernel/proc/process.h"

#include <gtest/gtest.h>

namespace inetdiag::kernel {
namespace {

TEST(TaskStats, HaveNameStateAndCpuTime) {
  EXPECT_EQ(
      parse_task_stat("812 (nginx) S 1 812 812 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 1 0 5"),
      (TaskStat{.comm = "nginx", .state = 'S', .parent = 1, .cpu_ticks = 42, .start_ticks = 5}));
}

TEST(TaskStats, HaveNamesOfAnyBytes) {
  const auto stat = parse_task_stat("7 (a) R 1 (\n\xff) T 1 2 3 4 5 6 7 8 9 10 1 2 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "a) R 1 (\n\xff");
  EXPECT_EQ(stat->state, 'T');
  EXPECT_EQ(stat->cpu_ticks, 3U);
  EXPECT_EQ(stat->start_ticks, 0U) << "the line ends before it";
}

TEST(TaskStats, AreAbsentIfTruncatedOrNotNumbers) {
  for (const char* text :
       {"", "812", "812 (nginx", "812 )nginx(", "812 (nginx)", "812 (nginx) S 1 2 3",
        "812 (nginx) SS 1 812 812 0 -1 4194560 100 0 0 0 12 30",
        "8 (n) S 1 2 3 4 5 6 7 8 9 10 -1 2",
        "8 (n) S 1 2 3 4 5 6 7 8 9 10 1 99999999999999999999"}) {
    EXPECT_EQ(parse_task_stat(text), std::nullopt) << text;
  }
}

TEST(ScheduleTimesOfATask, AreInNanoseconds) {
  EXPECT_EQ(parse_schedule_times("1500 200 3\n"), (ScheduleTimes{1500, 200}));
  for (const char* text : {"", "1", "a b c", "-1 2 3", "1 18446744073709551616 3"}) {
    EXPECT_EQ(parse_schedule_times(text), std::nullopt) << text;
  }
}

TEST(OpenFilesLimit, IsTheSoftLimit) {
  EXPECT_EQ(parse_open_files_limit("Limit   Soft Limit\nMax processes  1  2  processes\n"
                                   "Max open files            1024                 4096   files\n"),
            1024U);
  for (const char* text :
       {"", "Max open files", "Max open files unlimited unlimited files", "max open files 1 2"}) {
    EXPECT_EQ(parse_open_files_limit(text), std::nullopt) << text;
  }
}

TEST(SocketLink, HasAnInode) {
  EXPECT_EQ(parse_socket_link("socket:[4711]"), 4711U);
  for (const char* text : {"", "socket:[", "socket:[]", "socket:[-1]", "pipe:[1]", "socket:[1] ",
                           "socket:[99999999999999999999]"}) {
    EXPECT_EQ(parse_socket_link(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace inetdiag::kernel
