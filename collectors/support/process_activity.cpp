#include "collectors/support/process_activity.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "collectors/kernel/proc/process_files.h"

namespace inetdiag {
namespace {

using kernel::ScheduleTimes;

constexpr std::size_t max_threads_of_process = 256;
constexpr std::size_t max_threads_of_scrape = 2048;
constexpr std::uint64_t max_counted_files = 1U << 17U;
// Shares of a shorter time are not meaningful: without schedstat, CPU time is counted in 10 ms.
constexpr std::chrono::milliseconds min_interval{500};

double seconds_of_ticks(std::uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Without CONFIG_SCHED_INFO only the time on a CPU is known.
ScheduleTimes times_of(const kernel::FileTree& proc, const std::string& directory,
                       const kernel::TaskStat& stat) {
  constexpr double nanoseconds = 1e9;
  const auto text = kernel::read_if_possible(proc, directory + "/schedstat");
  const auto times = kernel::parse_schedule_times(text.value_or(""));
  const bool is_counted = times && (times->on_cpu > 0 || stat.cpu_ticks == 0);
  return is_counted ? *times
                    : ScheduleTimes{.on_cpu = static_cast<std::uint64_t>(
                                        seconds_of_ticks(stat.cpu_ticks) * nanoseconds)};
}

double share_of(std::uint64_t now, std::uint64_t before, std::chrono::nanoseconds interval) {
  return now < before ? 0
                      : std::min(1.0, static_cast<double>(now - before) /
                                          static_cast<double>(interval.count()));
}

}  // namespace

std::optional<ProcessActivity> ProcessActivities::read(const kernel::FileTree& proc, pid_t process,
                                                       TimePoint now) {
  const std::string directory = std::to_string(process);
  const auto stat =
      kernel::parse_task_stat(kernel::read_if_possible(proc, directory + "/stat").value_or(""));
  if (!stat) {
    return std::nullopt;
  }
  ProcessActivity activity{.comm = stat->comm, .cpu_seconds = seconds_of_ticks(stat->cpu_ticks)};
  const auto before = previous_.find(process);
  const auto interval =
      before == previous_.end() ? TimePoint::duration::zero() : now - before->second.read_at;
  Times times{.read_at = now, .threads = {}};
  const std::size_t max = std::min(max_threads_of_process, max_threads_of_scrape - threads_read_);
  for (const pid_t thread : kernel::numbered_entries(proc, directory + "/task", max)) {
    ++threads_read_;
    const std::string thread_directory = directory + "/task/" + std::to_string(thread);
    const auto task = kernel::parse_task_stat(
        kernel::read_if_possible(proc, thread_directory + "/stat").value_or(""));
    if (!task) {
      continue;
    }
    ++activity.threads[std::string(kernel::task_state_name(task->state))];
    const ScheduleTimes current = times_of(proc, thread_directory, *task);
    times.threads.emplace(thread, current);
    if (interval < min_interval) {
      continue;
    }
    if (const auto then = before->second.threads.find(thread);
        then != before->second.threads.end()) {
      const double cpu = share_of(current.on_cpu, then->second.on_cpu, interval);
      const double wait = share_of(current.waiting, then->second.waiting, interval);
      if (!activity.busiest_cpu || cpu + wait > *activity.busiest_cpu + *activity.busiest_wait) {
        activity.busiest_cpu = cpu;
        activity.busiest_wait = wait;
      }
    }
  }
  current_.insert_or_assign(process, std::move(times));
  activity.open_files = kernel::count_open_files(proc, process, max_counted_files);
  activity.open_files_limit = kernel::parse_open_files_limit(
      kernel::read_if_possible(proc, directory + "/limits").value_or(""));
  return activity;
}

void ProcessActivities::begin_scrape() {
  previous_ = std::exchange(current_, {});
  threads_read_ = 0;
}

}  // namespace inetdiag
