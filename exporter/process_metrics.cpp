#include "exporter/process_metrics.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

#include "collectors/family.h"
#include "collectors/kernel/file_tree.h"
#include "collectors/kernel/text.h"

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

/// Field 22 of /proc/self/stat, in clock ticks after the boot that `btime` of /proc/stat tells. The
/// command's name before it may hold blanks, and ends with the last parenthesis.
std::optional<double> start_time(const kernel::FileTree& proc) {
  constexpr int starttime_after_name = 19;
  std::string buffer;
  const std::string stat(proc.read("self/stat", buffer).value_or(""));
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  const auto ticks = word(std::string_view(stat).substr(name_end + 1), starttime_after_name);
  std::string_view host = proc.read("stat", buffer).value_or("");
  const std::size_t btime = host.find("\nbtime ");
  if (!ticks || btime == std::string_view::npos) {
    return std::nullopt;
  }
  host.remove_prefix(btime);
  const auto boot = word(host, 1);
  if (!boot) {
    return std::nullopt;
  }
  return *boot + *ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::optional<double> open_fds(const kernel::FileTree& proc) {
  std::error_code error;
  const auto begin = std::filesystem::directory_iterator(proc.path("self/fd"), error);
  if (error) {
    return std::nullopt;
  }
  // One of them is the iterator's own.
  return static_cast<double>(std::distance(begin, std::filesystem::directory_iterator())) - 1;
}

std::optional<double> max_fds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::vector<prometheus::MetricFamily> process_metrics() {
  const kernel::FileTree proc("/proc");
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::string buffer;
  const std::string statm(proc.read("self/statm", buffer).value_or(""));
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
  add(gauge_family("process_open_fds", "Number of open file descriptors."), open_fds(proc));
  add(gauge_family("process_max_fds", "Maximum number of open file descriptors."), max_fds());
  add(gauge_family("process_start_time_seconds",
                   "Start time of the process since unix epoch in seconds."),
      start_time(proc));
  return families;
}

}  // namespace inetdiag
