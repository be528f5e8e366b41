// Parsers for the files of one process below /proc (proc(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace inetdiag::kernel {

/// A line of /proc/PID/stat or /proc/PID/task/TID/stat (fs/proc/array.c, do_task_stat).
struct TaskStat {
  std::string comm{};           ///< any bytes: programs set their own name
  char state = '?';             ///< a letter of task_state_array
  pid_t parent = 0;             ///< ppid; 0 if it is in another PID namespace
  std::uint64_t cpu_ticks = 0;  ///< utime + stime, in USER_HZ
  /// Since boot, in USER_HZ; with the PID it identifies a process. 0 if unknown.
  std::uint64_t start_ticks = 0;

  bool operator==(const TaskStat&) const = default;
};

std::optional<TaskStat> parse_task_stat(std::string_view text);

/// Time on a CPU, and runnable without one, in nanoseconds (/proc/PID/schedstat).
struct ScheduleTimes {
  std::uint64_t on_cpu = 0;
  std::uint64_t waiting = 0;

  bool operator==(const ScheduleTimes&) const = default;
};

std::optional<ScheduleTimes> parse_schedule_times(std::string_view text);

/// Returns the soft limit of `Max open files` in /proc/PID/limits; absent if it is unlimited.
std::optional<std::uint64_t> parse_open_files_limit(std::string_view text);

/// Returns the inode in `socket:[123]`, the target of a link in /proc/PID/fd.
std::optional<std::uint64_t> parse_socket_link(std::string_view target);

/// Returns the name of a state as in /proc/PID/status: running, sleeping, uninterruptible, stopped,
/// traced, or other.
std::string_view task_state_name(char state);

}  // namespace inetdiag::kernel
