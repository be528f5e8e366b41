#include "collectors/owners.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <linux/capability.h>

#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/netns/cgroup_limits.h"
#include "collectors/kernel/netns/socket_processes.h"
#include "collectors/kernel/proc/capabilities.h"
#include "collectors/kernel/proc/process_files.h"
#include "collectors/support/endpoint_groups.h"
#include "collectors/support/family_table.h"
#include "collectors/support/owner_labels.h"
#include "collectors/support/process_activity.h"
#include "collectors/support/thread_cpu.h"

namespace inetdiag {
namespace {

using kernel::CgroupDirectory;
using kernel::CgroupLimits;
using kernel::Endpoint;
using kernel::FoundProcess;
using kernel::Listener;
using kernel::SocketProcesses;

constexpr std::size_t max_examined_listeners = 32;
constexpr std::size_t max_shown_processes = 10;
// A busy server lets connections wait for a moment.
constexpr std::chrono::seconds min_wait{1};
// Share of one CPU for searching processes.
constexpr double max_search_cpu_share = 0.01;

using enum prometheus::MetricType;

constexpr auto process_families = std::to_array<FamilySpec<ProcessActivity>>({
    {Counter, "inetdiag_listener_process_cpu_seconds_total",
     "CPU time of a process whose connections wait for accept() (/proc/PID/stat utime, stime).",
     field<&ProcessActivity::cpu_seconds>},
    {Gauge, "inetdiag_listener_process_busiest_thread_cpu_ratio",
     "Share of the time since the previous scrape that the busiest thread was on a CPU "
     "(/proc/PID/task/TID/schedstat).",
     field<&ProcessActivity::busiest_cpu>},
    {Gauge, "inetdiag_listener_process_busiest_thread_cpu_wait_ratio",
     "Share of the time since the previous scrape that the busiest thread was runnable and waited "
     "for a CPU (/proc/PID/task/TID/schedstat run_delay).",
     field<&ProcessActivity::busiest_wait>},
    {Gauge, "inetdiag_listener_process_open_files",
     "Open file descriptors of a process whose connections wait for accept() (/proc/PID/fd).",
     field<&ProcessActivity::open_files>},
    {Gauge, "inetdiag_listener_process_open_files_limit",
     "Limit of the open file descriptors of the process, at which accept() fails with EMFILE "
     "(/proc/PID/limits, RLIMIT_NOFILE).",
     field<&ProcessActivity::open_files_limit>},
});

constexpr auto quota_families = std::to_array<FamilySpec<kernel::CpuQuota>>({
    {Gauge, "inetdiag_listener_owner_cpu_quota_cpus",
     "CPU quota of the cgroup, or of an ancestor, in CPUs (cpu.max, cpu.cfs_quota_us).",
     field<&kernel::CpuQuota::cpus>},
    {Counter, "inetdiag_listener_owner_cpu_periods_total",
     "Periods of the CPU quota in which the cgroup was active (cpu.stat nr_periods).",
     field<&kernel::CpuQuota::periods>},
    {Counter, "inetdiag_listener_owner_cpu_throttled_periods_total",
     "Periods in which the cgroup used up its CPU quota (cpu.stat nr_throttled).",
     field<&kernel::CpuQuota::throttled_periods>},
    {Counter, "inetdiag_listener_owner_cpu_throttled_seconds_total",
     "Time for which the cgroup was throttled by its CPU quota, summed over the CPUs (cpu.stat "
     "throttled_usec, throttled_time).",
     field<&kernel::CpuQuota::throttled_seconds>},
});

constexpr auto memory_families = std::to_array<FamilySpec<kernel::MemoryLimit>>({
    {Gauge, "inetdiag_listener_owner_memory_bytes",
     "Memory of the cgroup, or of an ancestor, that has a memory limit, page cache included "
     "(memory.current, memory.usage_in_bytes).",
     field<&kernel::MemoryLimit::bytes>},
    {Gauge, "inetdiag_listener_owner_memory_limit_bytes",
     "Memory limit of this cgroup, the smaller of hard limit and throttling limit (memory.max, "
     "memory.high, memory.limit_in_bytes).",
     field<&kernel::MemoryLimit::limit_bytes>},
});

constexpr auto limit_families = std::to_array<FamilySpec<kernel::ProcessLimit>>({
    {Gauge, "inetdiag_listener_owner_pids",
     "Processes and threads of the cgroup, or of an ancestor, that has a limit of them "
     "(pids.current).",
     field<&kernel::ProcessLimit::processes>},
    {Gauge, "inetdiag_listener_owner_pids_limit",
     "Limit of the processes and threads of this cgroup, at which fork() and pthread_create() fail "
     "with EAGAIN (pids.max).",
     field<&kernel::ProcessLimit::limit>},
});

Labels with_labels(Labels labels, Labels more) {
  std::ranges::move(more, std::back_inserter(labels));
  return labels;
}

Labels with_cgroup(Labels labels, const CgroupDirectory& cgroup) {
  return with_labels(std::move(labels), {{"cgroup", cgroup.path}, {"hierarchy", cgroup.hierarchy}});
}

/// /proc/PID/fd has mode 0500, and its links need PTRACE_MODE_READ (fs/proc/base.c).
std::string missing_capability() {
  const std::string status =
      kernel::read_if_possible(kernel::FileTree("/proc"), "self/status").value_or("");
  if (!kernel::has_capability(status, CAP_SYS_PTRACE)) {
    return "CAP_SYS_PTRACE";
  }
  const bool may_list = kernel::has_capability(status, CAP_DAC_READ_SEARCH) ||
                        kernel::has_capability(status, CAP_DAC_OVERRIDE);
  return may_list ? "" : "CAP_DAC_READ_SEARCH";
}

/// The sockets of one endpoint in whose queues connections wait.
struct StalledEndpoint {
  const Listener* fullest = nullptr;
  std::set<std::uint64_t> inodes;

  void add(const Listener& listener) {
    if (fullest == nullptr || listener.waiting > fullest->waiting) {
      fullest = &listener;
    }
    if (listener.inode != 0) {
      inodes.insert(listener.inode);
    }
  }
};

class OwnerFamilies {
 public:
  void add_process(const Labels& labels, pid_t pid, const std::string& inode,
                   const ProcessActivity& activity) {
    const Labels process = with_labels(labels, {{"pid", std::to_string(pid)}});
    add_series(info_, with_labels(process, {{"comm", activity.comm}, {"inode", inode}}), 1);
    for (const auto& [state, count] : activity.threads) {
      add_series(threads_, with_labels(process, {{"state", state}}), static_cast<double>(count));
    }
    processes_.add(process, activity);
  }

  void add_count(const Labels& labels, const SocketProcesses& found, const std::string& needs) {
    add_series(count_,
               with_labels(labels, {{"found_by", std::string(found.found_by)}, {"needs", needs}}),
               static_cast<double>(found.processes.size()));
  }

  void add_limits(const Labels& labels, const CgroupDirectory& own, const CgroupLimits& limits) {
    if (limits.has_freezer) {
      add_series(frozen_, with_cgroup(labels, limits.frozen.value_or(own)), limits.frozen ? 1 : 0);
    }
    for (const auto& quota : limits.cpu_quotas) {
      quotas_.add(with_cgroup(labels, quota.cgroup), quota);
    }
    for (const auto& memory : limits.memory) {
      const Labels cgroup = with_cgroup(labels, memory.cgroup);
      memory_.add(cgroup, memory);
      for (const auto& [event, count] : memory.events) {
        add_series(memory_events_, with_labels(cgroup, {{"event", event}}),
                   static_cast<double>(count));
      }
    }
    for (const auto& processes : limits.processes) {
      limits_.add(with_cgroup(labels, processes.cgroup), processes);
    }
    for (const auto& [resource, share] : limits.pressure) {
      add_series(pressure_, with_labels(with_cgroup(labels, own), {{"resource", resource}}), share);
    }
  }

  std::vector<prometheus::MetricFamily> take() {
    std::vector<prometheus::MetricFamily> families;
    for (auto* family : {&count_, &info_, &threads_}) {
      families.push_back(std::move(*family));
    }
    std::ranges::move(processes_.take(), std::back_inserter(families));
    families.push_back(std::move(frozen_));
    std::ranges::move(quotas_.take(), std::back_inserter(families));
    std::ranges::move(memory_.take(), std::back_inserter(families));
    families.push_back(std::move(memory_events_));
    std::ranges::move(limits_.take(), std::back_inserter(families));
    families.push_back(std::move(pressure_));
    return families;
  }

 private:
  prometheus::MetricFamily count_ = gauge_family(
      "inetdiag_listener_owner_processes",
      "Processes that have a listener open in which connections wait in this scrape and in the one "
      "before, the oldest for a second or more, or the queue is full; found_by=\"cgroup\": those "
      "of "
      "its cgroup, because descriptors cannot be read for lack of the privilege `needs` "
      "(/proc/PID/fd, cgroup.procs).");
  prometheus::MetricFamily info_ = gauge_family(
      "inetdiag_listener_process_info",
      "Name of a process counted by inetdiag_listener_owner_processes, at most 10, and "
      "the socket, without the parents of others and PID 1 (/proc/PID/stat, inet_diag "
      "idiag_inode).");
  prometheus::MetricFamily threads_ =
      gauge_family("inetdiag_listener_process_threads",
                   "Threads of the process by state, at most 256 (/proc/PID/task/TID/stat).");
  prometheus::MetricFamily frozen_ = gauge_family(
      "inetdiag_listener_owner_frozen",
      "Whether the cgroup is frozen, or the ancestor that is (cgroup.events, freezer.state).");
  prometheus::MetricFamily memory_events_ = counter_family(
      "inetdiag_listener_owner_memory_events_total",
      "Times that this cgroup, without its descendants, reached its memory limit; as oom_kill, "
      "killed processes of the owner's cgroup (memory.events.local, memory.events, "
      "memory.failcnt, memory.oom_control).");
  prometheus::MetricFamily pressure_ = gauge_family(
      "inetdiag_listener_owner_pressure_ratio",
      "Share of the last 10 s in which a task of the cgroup was stalled for lack of the resource "
      "(cpu.pressure, memory.pressure, io.pressure, some avg10).");
  FamilyTable<ProcessActivity> processes_{process_families};
  FamilyTable<kernel::CpuQuota> quotas_{quota_families};
  FamilyTable<kernel::MemoryLimit> memory_{memory_families};
  FamilyTable<kernel::ProcessLimit> limits_{limit_families};
};

/// The processes with the sockets of one endpoint.
struct EndpointProcesses {
  SocketProcesses found;
  bool is_unknown = false;  ///< they were not searched, or not completely
  /// Those of them that should accept.
  std::vector<FoundProcess> acceptors;
  std::map<pid_t, std::uint64_t> inodes;  ///< of the socket that an acceptor has
  std::set<pid_t> pids;
};

/// Returns the processes that may call accept(). Parents of others with the socket, such as the
/// master of nginx, do not, nor does systemd, which opens sockets for services.
std::vector<FoundProcess> acceptors_of(const SocketProcesses& socket) {
  std::set<pid_t> parents;
  if (socket.found_by == "socket") {
    for (const FoundProcess& process : socket.processes) {
      parents.insert(process.parent);
    }
  }
  std::vector<FoundProcess> acceptors;
  std::ranges::copy_if(socket.processes, std::back_inserter(acceptors),
                       [&](const FoundProcess& process) {
                         const bool is_alone = socket.processes.size() == 1;
                         return !parents.contains(process.pid) && (process.pid != 1 || is_alone);
                       });
  return acceptors;
}

class Owners final : public Collector {
 public:
  explicit Owners(OwnerClocks clocks) : clocks_(std::move(clocks)) {}

  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    activities_.begin_scrape();
    const auto stalled = find_stalled(context.tcp);
    if (stalled.empty()) {
      processes_.clear();
    } else {
      examine(context, stalled, collection);
    }
    return collection;
  }

 private:
  /// Returns whether connections wait for too long. Without a dump (CPU budget), any listener may
  /// be stalled. Connections that the dump does not show were accepted before it.
  static bool may_be_stalled(const Listener& listener,
                             const std::optional<kernel::WaitingConnectionsDump>& dump) {
    if (!dump || listener.waiting > listener.backlog) {
      return true;
    }
    const auto waiting = dump->by_endpoint.find(listener.endpoint);
    return waiting == dump->by_endpoint.end() ? !dump->ports.contains(listener.endpoint.port)
                                              : waiting->second.oldest >= min_wait;
  }

  /// Returns the endpoints where connections wait for too long and, except in the first scrape,
  /// waited before.
  std::map<Endpoint, StalledEndpoint> find_stalled(kernel::TcpTable& tcp) {
    const std::vector<Listener>& listeners = tcp.listeners();
    const auto connections = tcp.waiting_connections_if_read();
    std::vector<const Listener*> examined;
    std::set<std::uint64_t> waiting;
    for (const Listener& listener : listeners) {
      if (listener.waiting > 0) {
        waiting.insert(listener.cookie);
        const bool has_waited = !waited_ || waited_->contains(listener.cookie);
        if (has_waited && may_be_stalled(listener, connections)) {
          examined.push_back(&listener);
        }
      }
    }
    is_first_ = !waited_;
    waited_ = std::move(waiting);
    std::ranges::stable_sort(examined, std::greater<>(), &Listener::waiting);
    examined.resize(std::min(examined.size(), max_examined_listeners));
    std::map<Endpoint, StalledEndpoint> stalled;
    for (const Listener* listener : examined) {
      stalled[listener->endpoint].add(*listener);
    }
    return stalled;
  }

  void examine(const ScrapeContext& context, const std::map<Endpoint, StalledEndpoint>& stalled,
               Collection& collection) {
    std::set<kernel::CgroupId> ids;
    for (const auto& [endpoint, sockets] : stalled) {
      if (sockets.fullest->cgroup_id) {
        ids.insert(*sockets.fullest->cgroup_id);
      }
    }
    const CgroupPathMap paths = find_owners(cgroup_paths_, context, ids, collection);
    const auto begin = clocks_.now();
    const bool may_search = budget_.allows(begin);
    const auto cpu_before = clocks_.thread_cpu();
    const auto charge = [&] {
      // The first search is free, so that `check` can make a second one.
      if (!is_first_) {
        budget_.spend(std::max(begin, budget_.next()), clocks_.thread_cpu() - cpu_before);
      }
    };
    try {
      if (may_search) {
        search(context, stalled, paths);
      }
      describe(context, stalled, paths, !may_search, collection);
    } catch (...) {
      charge();
      throw;
    }
    charge();
  }

  void describe(const ScrapeContext& context, const std::map<Endpoint, StalledEndpoint>& stalled,
                const CgroupPathMap& paths, bool is_cached, Collection& collection) {
    const std::string missing = clocks_.missing_capability();
    OwnerFamilies families;
    for (const auto& [endpoint, sockets] : stalled) {
      const Labels labels = endpoint_labels(endpoint);
      const EndpointProcesses processes = processes_of(context, sockets, is_cached);
      const SocketProcesses& found = processes.found;
      const bool is_hidden = found.has_hidden && !found.is_truncated && found.found_by != "socket";
      const std::string needs = !is_hidden ? "" : missing.empty() ? "access" : missing;
      if (!processes.is_unknown) {
        families.add_count(labels, found, needs);
      }
      if (found.is_truncated) {
        collection.missing.emplace_back(
            "processes of listeners: more processes than are searched (4096)");
      }
      if (is_hidden) {
        collection.missing.emplace_back(
            missing.empty()
                ? "processes of listeners: access to their descriptors is denied despite "
                  "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
                : "processes of listeners: descriptors of other users' processes (needs " +
                      missing + ", and no Landlock)");
      }
      add_processes(context, labels, processes, families);
      const auto cgroups = cgroups_of(context, processes, path_of(*sockets.fullest, paths));
      const auto own = cgroups.find("");
      const auto hierarchy = kernel::unified_hierarchy(context.cgroups.sys()).value_or("");
      families.add_limits(labels,
                          {std::string(hierarchy), own == cgroups.end() ? "/" : own->second},
                          kernel::read_cgroup_limits(context.cgroups.sys(), cgroups));
    }
    collection.families = families.take();
  }

  static std::string path_of(const Listener& listener, const CgroupPathMap& paths) {
    const auto path = listener.cgroup_id ? paths.find(*listener.cgroup_id) : paths.end();
    return path == paths.end() ? std::string() : path->second;
  }

  /// The result is kept for scrapes in which the CPU budget is used up.
  void search(const ScrapeContext& context, const std::map<Endpoint, StalledEndpoint>& stalled,
              const CgroupPathMap& paths) {
    std::vector<kernel::SearchedSocket> sockets;
    for (const auto& [endpoint, each] : stalled) {
      for (const std::uint64_t inode : each.inodes) {
        sockets.push_back({.inode = inode, .cgroup = path_of(*each.fullest, paths)});
      }
    }
    processes_.clear();
    processes_ = kernel::find_processes(context.proc.tree(), context.cgroups.sys(), sockets,
                                        context.deadline);
  }

  /// Combines the processes of the sockets of one endpoint.
  EndpointProcesses processes_of(const ScrapeContext& context, const StalledEndpoint& sockets,
                                 bool is_cached) const {
    EndpointProcesses all;
    bool is_complete = !sockets.inodes.empty();
    for (const std::uint64_t inode : sockets.inodes) {
      const auto found = processes_.find(inode);
      if (found == processes_.end()) {
        is_complete = false;
        continue;
      }
      SocketProcesses socket = found->second;
      if (is_cached) {
        const auto ended = std::erase_if(socket.processes, [&context](const FoundProcess& process) {
          context.deadline.check();
          return kernel::has_ended(context.proc.tree(), process);
        });
        is_complete = is_complete && (ended == 0 || !socket.processes.empty());
      }
      add_socket(all, socket, inode);
    }
    all.is_unknown = all.found.processes.empty() && (!is_complete || all.found.is_truncated);
    return all;
  }

  static void add_socket(EndpointProcesses& all, const SocketProcesses& socket,
                         std::uint64_t inode) {
    all.found.has_hidden = all.found.has_hidden || socket.has_hidden;
    all.found.is_truncated = all.found.is_truncated || socket.is_truncated;
    if (all.found.found_by == "none" || socket.found_by == "socket") {
      all.found.found_by = socket.found_by;
    }
    for (const FoundProcess& process : socket.processes) {
      if (all.pids.insert(process.pid).second) {
        all.found.processes.push_back(process);
      }
    }
    for (const FoundProcess& process : acceptors_of(socket)) {
      if (all.inodes.emplace(process.pid, inode).second) {
        all.acceptors.push_back(process);
      }
    }
  }

  void add_processes(const ScrapeContext& context, const Labels& labels,
                     const EndpointProcesses& processes, OwnerFamilies& families) {
    std::size_t shown = 0;
    for (const FoundProcess& process : processes.acceptors) {
      context.deadline.check();
      if (shown == max_shown_processes) {
        break;
      }
      if (const auto activity = activities_.read(context.proc.tree(), process.pid, clocks_.now())) {
        const bool has_socket = processes.found.found_by == "socket";
        families.add_process(
            labels, process.pid,
            has_socket ? std::to_string(processes.inodes.at(process.pid)) : std::string(),
            *activity);
        ++shown;
      }
    }
  }

  /// Returns the cgroups of the first process that /proc shows, or the one that created the socket.
  static std::map<std::string, std::string> cgroups_of(const ScrapeContext& context,
                                                       const EndpointProcesses& processes,
                                                       const std::string& path) {
    for (const FoundProcess& process : processes.acceptors) {
      if (process.pid == 1) {
        continue;
      }
      const auto text =
          kernel::read_if_possible(context.proc.tree(), std::to_string(process.pid) + "/cgroup");
      auto cgroups = kernel::parse_process_cgroups(text.value_or(""));
      if (!cgroups.empty()) {
        return cgroups;
      }
    }
    return path.empty() ? std::map<std::string, std::string>()
                        : std::map<std::string, std::string>{{"", path}};
  }

  OwnerClocks clocks_;
  kernel::CgroupPaths cgroup_paths_;
  CpuBudget budget_{max_search_cpu_share};
  ProcessActivities activities_;
  std::map<std::uint64_t, SocketProcesses> processes_;  ///< by inode of the socket
  std::optional<std::set<std::uint64_t>> waited_;       ///< cookies, of the previous scrape
  bool is_first_ = true;
};

}  // namespace

std::unique_ptr<Collector> make_owners(const Settings& /*settings*/) {
  return make_owners_with_clocks({.now = CpuBudget::Clock::now,
                                  .thread_cpu = thread_cpu,
                                  .missing_capability = missing_capability});
}

std::unique_ptr<Collector> make_owners_with_clocks(OwnerClocks clocks) {
  return std::make_unique<Owners>(std::move(clocks));
}

}  // namespace inetdiag
