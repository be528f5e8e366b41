// What limits the processes of a cgroup: freezer, CPU quota, memory, number of processes, and the
// pressure that results. Files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst) and of the
// controllers of cgroup v1 (Documentation/admin-guide/cgroup-v1).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

/// A cgroup of one hierarchy.
struct CgroupDirectory {
  /// Directory of the hierarchy below /sys/fs/cgroup: `cpu` (v1), `unified` (v2 in the hybrid
  /// layout), or empty (v2).
  std::string hierarchy{};
  std::string path{};  ///< `/system.slice/a.service`; `/` is the root

  auto operator<=>(const CgroupDirectory&) const = default;
};

/// Returns the value after `key` in lines of `key value`, as in cgroup.events or cpu.stat.
std::optional<std::uint64_t> keyed_value(std::string_view text, std::string_view key);

/// Returns the share of the last 10 s in which at least one task was stalled, from 0 to 1, of
/// cpu.pressure, memory.pressure or io.pressure (Documentation/accounting/psi.rst).
std::optional<double> parse_pressure(std::string_view text);

/// Returns quota / period of cpu.max (v2), in CPUs; absent if it is `max`.
std::optional<double> parse_cpu_max(std::string_view text);

/// Returns a limit; absent if it is `max` or, on v1, too large for a limit.
std::optional<std::uint64_t> parse_limit(std::string_view text);

/// Returns the path of the process by controller in /proc/PID/cgroup; the key of v2 is empty. Paths
/// that lead out of the cgroup namespace of this process are omitted.
std::map<std::string, std::string> parse_process_cgroups(std::string_view text);

/// CPU bandwidth control (kernel/sched/fair.c).
struct CpuQuota {
  CgroupDirectory cgroup{};
  double cpus = 0;
  std::uint64_t periods = 0;
  std::uint64_t throttled_periods = 0;
  double throttled_seconds = 0;
};

struct MemoryLimit {
  CgroupDirectory cgroup{};
  std::optional<std::uint64_t> bytes{};
  std::optional<std::uint64_t> limit_bytes{};
  /// `high`, `max`, `oom` of this cgroup, without its descendants; `oom_kill` of the process's own.
  std::map<std::string, std::uint64_t> events{};
};

struct ProcessLimit {
  CgroupDirectory cgroup{};
  std::uint64_t processes = 0;
  std::uint64_t limit = 0;
};

struct CgroupLimits {
  /// The cgroup that is frozen, if any is: the process's, or the ancestor that was frozen.
  std::optional<CgroupDirectory> frozen{};
  bool has_freezer = false;
  std::vector<CpuQuota> cpu_quotas{};        ///< of the cgroup and its ancestors
  std::vector<MemoryLimit> memory{};         ///< likewise, those with a limit
  std::vector<ProcessLimit> processes{};     ///< likewise
  std::map<std::string, double> pressure{};  ///< by resource: cpu, memory, io
};

/// Reads the limits of a process with these cgroups; see parse_process_cgroups(). What this kernel
/// does not have is absent.
CgroupLimits read_cgroup_limits(const FileTree& sys,
                                const std::map<std::string, std::string>& cgroups);

}  // namespace inetdiag::kernel
