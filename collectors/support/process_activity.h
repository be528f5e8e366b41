// What a process does: the states of its threads, their CPU time, its open files.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <sys/types.h>

#include "collectors/kernel/proc/file_tree.h"
#include "collectors/kernel/proc/process.h"

namespace inetdiag {

struct ProcessActivity {
  std::string comm{};
  std::map<std::string, std::uint64_t> threads{};  ///< by state
  double cpu_seconds = 0;
  /// Of the thread that was runnable most of the time since the previous scrape: the share of the
  /// time on a CPU, and that of waiting for one.
  std::optional<double> busiest_cpu{};
  std::optional<double> busiest_wait{};
  std::optional<std::uint64_t> open_files{};
  std::optional<std::uint64_t> open_files_limit{};
};

/// Follows processes between scrapes.
class ProcessActivities {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Returns nothing if the process does not exist, or /proc does not show it.
  std::optional<ProcessActivity> read(const kernel::FileTree& proc, pid_t process, TimePoint now);

  /// Forgets the processes that were not read since the previous call.
  void begin_scrape();

 private:
  struct Times {
    TimePoint read_at;
    std::map<pid_t, kernel::ScheduleTimes> threads;
  };

  std::map<pid_t, Times> previous_;
  std::map<pid_t, Times> current_;
  std::size_t threads_read_ = 0;
};

}  // namespace inetdiag
