#include "exporter/scrape/process_metrics.h"

#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/proc/file_tree.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

double seconds(const timeval& time) {
  constexpr double microseconds_per_second = 1e6;
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) / microseconds_per_second;
}

std::optional<double> cpu_seconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) {
    return std::nullopt;
  }
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<double> word(std::string_view text, int index) {
  std::string_view found;
  for (int i = 0; i <= index; ++i) {
    found = kernel::next_word(text);
  }
  return kernel::to_double(found);
}

std::string text_of(const std::string& path) {
  try {
    return kernel::FileTree("/proc").read(path).value_or("");
  } catch (const std::system_error&) {
    return {};
  }
}

double clock_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  constexpr double nanoseconds_per_second = 1e9;
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / nanoseconds_per_second;
}

/// Field 22 of /proc/self/stat, in clock ticks since boot. The command's name before it may hold
/// blanks, and ends with the last parenthesis.
std::optional<double> start_time() {
  constexpr int starttime_after_name = 19;
  const std::string stat = text_of("self/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  const auto ticks = word(std::string_view(stat).substr(name_end + 1), starttime_after_name);
  if (!ticks) {
    return std::nullopt;
  }
  const double boot = clock_seconds(CLOCK_REALTIME) - clock_seconds(CLOCK_BOOTTIME);
  return boot + *ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Since Linux 6.2 the size of the directory is the number of descriptors
/// (Documentation/filesystems/proc.rst).
std::optional<double> open_fds() {
  struct stat directory {};
  if (::stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0) {
    return static_cast<double>(directory.st_size);
  }
  std::error_code error;
  double count = 0;
  auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++count;
  }
  // One of the descriptors belongs to the iterator.
  return error ? std::nullopt : std::optional(count - 1);
}

std::optional<double> max_fds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessMetrics::ProcessMetrics() : start_time_(start_time()) {}

std::vector<prometheus::MetricFamily> ProcessMetrics::collect() const {
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::string statm = text_of("self/statm");
  const auto bytes = [&](int index) -> std::optional<double> {
    const auto pages = word(statm, index);
    return pages ? std::optional(*pages * page_bytes) : std::nullopt;
  };

  std::vector<prometheus::MetricFamily> families;
  const auto add = [&](prometheus::MetricFamily family, std::optional<double> value) {
    if (value) {
      add_series(family, {}, *value);
      families.push_back(std::move(family));
    }
  };
  add(counter_family("process_cpu_seconds_total",
                     "Total user and system CPU time spent in seconds."),
      cpu_seconds());
  add(gauge_family("process_virtual_memory_bytes", "Virtual memory size in bytes."), bytes(0));
  add(gauge_family("process_resident_memory_bytes", "Resident memory size in bytes."), bytes(1));
  add(gauge_family("process_open_fds", "Number of open file descriptors."), open_fds());
  add(gauge_family("process_max_fds", "Maximum number of open file descriptors."), max_fds());
  add(gauge_family("process_start_time_seconds",
                   "Start time of the process since unix epoch in seconds."),
      start_time_);
  return families;
}

}  // namespace inetdiag
