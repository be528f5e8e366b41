#include "collectors/kernel/netns/cgroup_limits.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <unistd.h>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/proc/process_files.h"

namespace inetdiag::kernel {
namespace {

constexpr double nanoseconds_per_second = 1e9;
constexpr double microseconds_per_second = 1e6;
// Bounds the number of ancestors.
constexpr std::size_t max_levels = 32;
// memory.limit_in_bytes without a limit is PAGE_COUNTER_MAX pages, nearly 2^63.
constexpr std::uint64_t min_unlimited = 1ULL << 62U;

/// Returns the cgroup and its ancestors, without the root, which has no limits.
std::vector<CgroupDirectory> with_ancestors(const std::string& hierarchy, std::string path) {
  std::vector<CgroupDirectory> directories;
  while (path.size() > 1 && directories.size() < max_levels) {
    directories.push_back({hierarchy, path});
    path.resize(path.rfind('/'));
  }
  return directories;
}

/// Reads the files of one cgroup.
class CgroupFiles {
 public:
  CgroupFiles(const FileTree& sys, const CgroupDirectory& cgroup)
      : sys_(sys),
        prefix_("fs/cgroup" + (cgroup.hierarchy.empty() ? "" : "/" + cgroup.hierarchy) +
                cgroup.path + "/") {}

  std::optional<std::string> text(std::string_view name) const {
    return read_if_possible(sys_, prefix_ + std::string(name));
  }
  std::optional<std::uint64_t> number(std::string_view name) const {
    return to_number<std::uint64_t>(trimmed(text(name).value_or("")));
  }
  std::optional<std::uint64_t> limit(std::string_view name) const {
    return parse_limit(text(name).value_or(""));
  }

 private:
  const FileTree& sys_;
  std::string prefix_;
};

double ratio(std::uint64_t used, std::uint64_t limit) {
  return limit > 0 ? static_cast<double>(used) / static_cast<double>(limit) : 0;
}

void add_quota(std::vector<CpuQuota>& quotas, const CgroupDirectory& cgroup,
               std::optional<double> cpus, std::string_view stat, std::string_view time_key,
               double units_per_second) {
  const auto time = keyed_value(stat, time_key);
  const auto periods = keyed_value(stat, "nr_periods");
  const auto throttled = keyed_value(stat, "nr_throttled");
  if (cpus && time && periods && throttled) {
    quotas.push_back({.cgroup = cgroup,
                      .cpus = *cpus,
                      .periods = *periods,
                      .throttled_periods = *throttled,
                      .throttled_seconds = static_cast<double>(*time) / units_per_second});
  }
}

void add_processes(CgroupLimits& limits, const CgroupDirectory& cgroup, const CgroupFiles& files) {
  const auto current = files.number("pids.current");
  const auto max = files.limit("pids.max");
  if (current && max) {
    limits.processes.push_back({.cgroup = cgroup, .processes = *current, .limit = *max});
  }
}

void add_memory(CgroupLimits& limits, MemoryLimit memory) {
  if (memory.bytes && memory.limit_bytes) {
    limits.memory.push_back(std::move(memory));
  }
}

/// Kills in an ancestor may be those of other services, so they count for the own cgroup only.
std::map<std::string, std::uint64_t> memory_events(std::string_view text, bool is_own) {
  std::map<std::string, std::uint64_t> events;
  for (const std::string_view name : {"high", "max", "oom", "oom_kill"}) {
    const auto count = keyed_value(text, name);
    if (count && (is_own || name != "oom_kill")) {
      events.emplace(name, *count);
    }
  }
  return events;
}

/// memory.events includes the descendants; without memory.events.local (Linux 5.2) it is used for
/// the own cgroup only, which has no descendants as a rule.
std::map<std::string, std::uint64_t> unified_memory_events(const CgroupFiles& files, bool is_own) {
  const auto local = files.text("memory.events.local");
  if (!local && !is_own) {
    return {};
  }
  return memory_events(local ? *local : files.text("memory.events").value_or(""), is_own);
}

std::optional<std::uint64_t> smaller(std::optional<std::uint64_t> a,
                                     std::optional<std::uint64_t> b) {
  return a && b ? std::min(a, b) : a ? a : b;
}

void read_unified(CgroupLimits& limits, const FileTree& sys, const std::string& hierarchy,
                  const std::string& path) {
  const auto directories = with_ancestors(hierarchy, path);
  for (const CgroupDirectory& cgroup : directories) {
    const CgroupFiles files(sys, cgroup);
    const bool is_own = cgroup == directories.front();
    if (is_own) {
      const auto frozen = keyed_value(files.text("cgroup.events").value_or(""), "frozen");
      limits.has_freezer = frozen.has_value();
      if (frozen.value_or(0) == 1) {
        limits.frozen = cgroup;
      }
      for (const char* resource : {"cpu", "memory", "io"}) {
        const auto text = files.text(std::string(resource) + ".pressure");
        if (const auto share = parse_pressure(text.value_or(""))) {
          limits.pressure.emplace(resource, *share);
        }
      }
    }
    if (limits.frozen && files.number("cgroup.freeze") == 1U) {
      limits.frozen = cgroup;
    }
    add_quota(limits.cpu_quotas, cgroup, parse_cpu_max(files.text("cpu.max").value_or("")),
              files.text("cpu.stat").value_or(""), "throttled_usec", microseconds_per_second);
    add_memory(limits,
               {.cgroup = cgroup,
                .bytes = files.number("memory.current"),
                .limit_bytes = smaller(files.limit("memory.max"), files.limit("memory.high")),
                .events = unified_memory_events(files, is_own)});
    add_processes(limits, cgroup, files);
  }
}

void read_freezer(CgroupLimits& limits, const FileTree& sys, const std::string& path) {
  const auto directories = with_ancestors("freezer", path);
  for (const CgroupDirectory& cgroup : directories) {
    const CgroupFiles files(sys, cgroup);
    if (cgroup == directories.front()) {
      const auto state = files.text("freezer.state");
      limits.has_freezer = limits.has_freezer || state.has_value();
      if (trimmed(state.value_or("")) != "FROZEN") {
        return;
      }
      limits.frozen = cgroup;
    }
    if (files.number("freezer.self_freezing") == 1U) {
      limits.frozen = cgroup;
    }
  }
}

void read_cpu(CgroupLimits& limits, const FileTree& sys, const std::string& path) {
  for (const CgroupDirectory& cgroup : with_ancestors("cpu", path)) {
    const CgroupFiles files(sys, cgroup);
    const auto quota = files.number("cpu.cfs_quota_us");  // -1: none
    const auto period = files.number("cpu.cfs_period_us");
    add_quota(limits.cpu_quotas, cgroup,
              quota && period && *period > 0 ? std::optional(ratio(*quota, *period)) : std::nullopt,
              files.text("cpu.stat").value_or(""), "throttled_time", nanoseconds_per_second);
  }
}

void read_memory(CgroupLimits& limits, const FileTree& sys, const std::string& path) {
  const auto directories = with_ancestors("memory", path);
  for (const CgroupDirectory& cgroup : directories) {
    const CgroupFiles files(sys, cgroup);
    auto events =
        memory_events(files.text("memory.oom_control").value_or(""), cgroup == directories.front());
    if (const auto failures = files.number("memory.failcnt")) {
      events.emplace("max", *failures);
    }
    add_memory(limits, {.cgroup = cgroup,
                        .bytes = files.number("memory.usage_in_bytes"),
                        .limit_bytes = files.limit("memory.limit_in_bytes"),
                        .events = std::move(events)});
  }
}

}  // namespace

std::optional<std::uint64_t> keyed_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (next_word(line) == key) {
      return to_number<std::uint64_t>(next_word(line));
    }
  }
  return std::nullopt;
}

std::optional<double> parse_pressure(std::string_view text) {
  constexpr double percent = 100;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (next_word(line) != "some") {
      continue;
    }
    std::string_view field = next_word(line);
    if (cut(field, '=') != "avg10") {
      return std::nullopt;
    }
    const auto value = to_number<double>(field);
    return value && *value >= 0 && *value <= percent ? std::optional(*value / percent)
                                                     : std::nullopt;
  }
  return std::nullopt;
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const auto quota = to_number<std::uint64_t>(next_word(text));
  const auto period = to_number<std::uint64_t>(next_word(text));
  return quota && period && *period > 0 ? std::optional(ratio(*quota, *period)) : std::nullopt;
}

std::optional<std::uint64_t> parse_limit(std::string_view text) {
  const auto limit = to_number<std::uint64_t>(trimmed(text));
  return limit && *limit < min_unlimited ? limit : std::nullopt;
}

std::map<std::string, std::string> parse_process_cgroups(std::string_view text) {
  std::map<std::string, std::string> cgroups;
  while (!text.empty()) {
    std::string_view path = next_line(text);
    cut(path, ':');
    std::string_view controllers = cut(path, ':');
    const bool is_outside = path.find("/../") != std::string_view::npos || path.ends_with("/..");
    if (!path.starts_with('/') || is_outside || controllers.starts_with("name=")) {
      continue;
    }
    do {
      cgroups.emplace(cut(controllers, ','), path);
    } while (!controllers.empty());
  }
  return cgroups;
}

CgroupLimits read_cgroup_limits(const FileTree& sys,
                                const std::map<std::string, std::string>& cgroups) {
  CgroupLimits limits;
  const auto with_path = [&](const char* controller, auto read) {
    if (const auto found = cgroups.find(controller); found != cgroups.end()) {
      read(found->second);
    }
  };
  with_path("", [&](const std::string& path) {
    read_unified(limits, sys, std::string(unified_hierarchy(sys).value_or("")), path);
  });
  with_path("freezer", [&](const std::string& path) { read_freezer(limits, sys, path); });
  with_path("cpu", [&](const std::string& path) { read_cpu(limits, sys, path); });
  with_path("memory", [&](const std::string& path) { read_memory(limits, sys, path); });
  with_path("pids", [&](const std::string& path) {
    for (const CgroupDirectory& cgroup : with_ancestors("pids", path)) {
      add_processes(limits, cgroup, CgroupFiles(sys, cgroup));
    }
  });
  return limits;
}

}  // namespace inetdiag::kernel
