#include "exporter/diagnosis/owner_state.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/thresholds.h"

namespace inetdiag::diagnosis {
namespace {

using Process = std::pair<const std::string, ListenerProcess>;
using Cgroup = std::pair<const std::string, CgroupState>;
using Causes = std::vector<StallCause>;

constexpr std::size_t max_causes = 2;

double pid_number(const std::string& pid) { return std::strtod(pid.c_str(), nullptr); }

/// Returns `nginx (pid 812)`.
std::string named(const Process& process) {
  return process.second.comm + " (pid " + process.first + ")";
}

double threads_in(const ListenerProcess& process, std::string_view state) {
  const auto found = process.threads.find(std::string(state));
  return found == process.threads.end() ? 0 : found->second;
}

bool is_stopped(const ListenerProcess& process) {
  double all = 0;
  for (const auto& [state, count] : process.threads) {
    all += count;
  }
  return all > 0 && threads_in(process, "stopped") + threads_in(process, "traced") == all;
}

bool is_cgroup_v1(const std::string& directory) {
  return directory.starts_with("/sys/fs/cgroup/freezer/") ||
         directory.starts_with("/sys/fs/cgroup/cpu/") ||
         directory.starts_with("/sys/fs/cgroup/memory/") ||
         directory.starts_with("/sys/fs/cgroup/pids/");
}

/// A listener with the state of its owner in both snapshots.
struct Stall {
  const OwnerState& now;
  const OwnerState* before;  ///< null if unknown
  double seconds;

  const ListenerProcess* previous(const Process& process) const {
    if (before == nullptr) {
      return nullptr;
    }
    const auto found = before->processes.find(process.first);
    return found == before->processes.end() ? nullptr : &found->second;
  }

  std::optional<double> growth(const Cgroup& cgroup,
                               std::optional<double> CgroupState::*counter) const {
    if (before == nullptr) {
      return std::nullopt;
    }
    const auto then = before->cgroups.find(cgroup.first);
    return then == before->cgroups.end()
               ? std::nullopt
               : NamespaceDelta::difference(cgroup.second.*counter, then->second.*counter);
  }

  double growth_of_event(const Cgroup& cgroup, const std::string& event) const {
    if (before == nullptr) {
      return 0;
    }
    const auto then = before->cgroups.find(cgroup.first);
    const auto after = cgroup.second.memory_events.find(event);
    if (then == before->cgroups.end() || after == cgroup.second.memory_events.end()) {
      return 0;
    }
    const auto start = then->second.memory_events.find(event);
    return start == then->second.memory_events.end() ? 0
                                                     : std::max(0.0, after->second - start->second);
  }
};

void find_frozen(const Stall& stall, Causes& causes) {
  for (const auto& [directory, cgroup] : stall.now.cgroups) {
    if (cgroup.is_frozen) {
      causes.push_back(
          {.sentence = "Its cgroup " + directory + " is frozen.",
           .action = "Thaw it: `echo " + (is_cgroup_v1(directory)
                                              ? "THAWED > " + directory + "/freezer.state`."
                                              : "0 > " + directory + "/cgroup.freeze`."),
           .evidence = {{"frozen", 1}}});
    }
  }
}

/// If one of several processes with the socket runs, it can accept.
void find_stopped(const Stall& stall, Causes& causes) {
  const auto& processes = stall.now.processes;
  const auto stopped = std::ranges::find_if(
      processes, [](const Process& process) { return is_stopped(process.second); });
  const bool have_all_stopped = std::ranges::all_of(
      processes, [](const Process& process) { return is_stopped(process.second); });
  const bool are_all_known = stall.now.count <= static_cast<double>(processes.size());
  if (stopped == processes.end() || !have_all_stopped || !are_all_known) {
    return;
  }
  const bool is_traced = threads_in(stopped->second, "traced") > 0;
  std::string pids;
  for (const Process& process : processes) {
    pids += " " + process.first;
  }
  causes.push_back(
      {.sentence = "Process " + named(*stopped) + " is stopped (" +
                   (is_traced ? "by a debugger or tracer)." : "SIGSTOP or job control).") +
                   (processes.size() > 1 ? " So are all others that have the socket." : ""),
       .action = is_traced ? "Let the debugger continue it, or detach it."
                           : "Continue it: `kill -CONT" + pids + "`.",
       .evidence = {{"pid", pid_number(stopped->first)}}});
}

/// At the limit accept() fails, but only of this process.
void find_exhausted_files(const Stall& stall, Causes& causes) {
  for (const Process& process : stall.now.processes) {
    const auto open = process.second.open_files;
    const auto limit = process.second.open_files_limit;
    if (open && limit && *open >= *limit) {
      causes.push_back(
          {.sentence = "Process " + named(process) + " has " + format_number(*open) + " of " +
                       format_number(*limit) +
                       " file descriptors open: accept() fails with EMFILE.",
           .action = "Find out what it keeps open (`ls -l /proc/" + process.first +
                     "/fd`), and raise its limit: LimitNOFILE= of the systemd unit, `ulimit -n`.",
           .evidence = {{"pid", pid_number(process.first)},
                        {"open_files", open},
                        {"open_files_limit", limit}}});
      return;
    }
  }
}

double throttled_seconds(const Stall& stall, const Cgroup& cgroup) {
  return std::min(stall.seconds, stall.growth(cgroup, &CgroupState::throttled_seconds).value_or(0));
}

bool is_throttled(const Stall& stall, const Cgroup& cgroup) {
  const double periods = stall.growth(cgroup, &CgroupState::cpu_periods).value_or(0);
  const double throttled_periods =
      stall.growth(cgroup, &CgroupState::throttled_periods).value_or(0);
  return stall.seconds > 0 &&
         throttled_seconds(stall, cgroup) >= stall.seconds * min_throttled_ratio && periods > 0 &&
         throttled_periods >= periods * min_throttled_ratio;
}

void find_throttled(const Stall& stall, Causes& causes) {
  for (const Cgroup& cgroup : stall.now.cgroups) {
    const double throttled = throttled_seconds(stall, cgroup);
    if (is_throttled(stall, cgroup)) {
      causes.push_back({.sentence = "The CPU quota of its cgroup " + cgroup.first + ", " +
                                    format_number(cgroup.second.cpu_quota.value_or(0)) +
                                    " CPUs, throttled it for " + format_number(throttled) +
                                    " s of the last " + format_duration(stall.seconds) + ".",
                        .action =
                            "Raise the quota: CPUQuota= of the systemd unit, the CPU limit of the "
                            "container.",
                        .evidence = {{"new_throttled_seconds", throttled},
                                     {"cpu_quota", cgroup.second.cpu_quota}}});
    }
  }
}

void find_memory(const Stall& stall, Causes& causes) {
  double pressure = 0;
  for (const auto& [directory, cgroup] : stall.now.cgroups) {
    const auto found = cgroup.pressure.find("memory");
    pressure = std::max(pressure, found == cgroup.pressure.end() ? 0 : found->second);
  }
  for (const Cgroup& cgroup : stall.now.cgroups) {
    const CgroupState& state = cgroup.second;
    if (!state.memory_bytes || !state.memory_limit_bytes) {
      continue;
    }
    const std::string usage = "Its cgroup " + cgroup.first + " uses " +
                              format_bytes(*state.memory_bytes) + " of " +
                              format_bytes(*state.memory_limit_bytes) + " memory";
    const double kills = stall.growth_of_event(cgroup, "oom_kill");
    const bool is_limited =
        stall.growth_of_event(cgroup, "max") > 0 || stall.growth_of_event(cgroup, "high") > 0;
    if (kills == 0 && (pressure < min_memory_pressure || !is_limited)) {
      continue;
    }
    causes.push_back(
        {.sentence = usage + (kills > 0 ? ", and the kernel killed processes for lack "
                                          "of it."
                                        : ": its processes wait for memory " +
                                              format_percent(pressure) + " of the time."),
         .action = "Raise its memory limit (MemoryMax=, MemoryHigh=, the limit of the "
                   "container), or find what uses the memory.",
         .evidence = {{"memory_bytes", state.memory_bytes},
                      {"memory_limit_bytes", state.memory_limit_bytes},
                      {"new_oom_kills", kills}}});
  }
}

/// Each disk access is such a sleep for a moment, so both snapshots must show one.
void find_uninterruptible(const Stall& stall, Causes& causes) {
  for (const Process& process : stall.now.processes) {
    const ListenerProcess* then = stall.previous(process);
    if (then != nullptr && threads_in(process.second, "uninterruptible") > 0 &&
        threads_in(*then, "uninterruptible") > 0) {
      causes.push_back(
          {.sentence =
               "Process " + named(process) + " waits in uninterruptible sleep (disk or NFS).",
           .action = "Find out what it waits for: `cat /proc/" + process.first + "/stack` as root.",
           .evidence = {{"pid", pid_number(process.first)}}});
      return;
    }
  }
}

/// A thread that a quota throttles is runnable, too.
void find_busy(const Stall& stall, Causes& causes) {
  if (std::ranges::any_of(stall.now.cgroups,
                          [&](const Cgroup& cgroup) { return is_throttled(stall, cgroup); })) {
    return;
  }
  for (const Process& process : stall.now.processes) {
    const double cpu = process.second.busiest_cpu.value_or(0);
    const double wait = process.second.busiest_wait.value_or(0);
    if (cpu + wait < min_runnable_ratio) {
      continue;
    }
    const bool has_cpu = cpu >= min_full_cpu_ratio;
    causes.push_back(
        {.sentence = "One thread of " + named(process) +
                     (has_cpu ? " uses a full CPU: a busy loop, or more work than it can do."
                              : " is always runnable and gets " + format_percent(cpu) +
                                    " of a CPU: a busy loop, or the host lacks CPU time."),
         .action = "Find out what it does: `perf top -p " + process.first + "` or `gdb -p " +
                   process.first + "`. More threads or processes help only if it has work to do.",
         .evidence = {{"pid", pid_number(process.first)},
                      {"busiest_thread_cpu_ratio", cpu},
                      {"busiest_thread_cpu_wait_ratio", wait}}});
    return;
  }
}

/// A program that creates a thread or process for each connection cannot.
void find_exhausted_pids(const Stall& stall, Causes& causes) {
  for (const auto& [directory, cgroup] : stall.now.cgroups) {
    if (cgroup.pids && cgroup.pids_limit && *cgroup.pids >= *cgroup.pids_limit) {
      causes.push_back({.sentence = "Its cgroup " + directory + " has " +
                                    format_number(*cgroup.pids) + " of " +
                                    format_number(*cgroup.pids_limit) +
                                    " processes and threads: it can create none.",
                        .action = "Raise TasksMax= of the systemd unit or the PID limit of the "
                                  "container, or find out why it needs so many.",
                        .evidence = {{"pids", cgroup.pids}, {"pids_limit", cgroup.pids_limit}}});
    }
  }
}

/// Returns what is known without a cause.
StallCause describe_owner(const OwnerState& owner) {
  if (owner.processes.empty()) {
    const std::string why = owner.needs.empty() ? ""
                            : owner.needs == "access"
                                ? "The processes cannot be seen: access is denied despite "
                                  "CAP_SYS_PTRACE."
                                : "The processes cannot be seen: needs " + owner.needs + ".";
    return {.sentence = why,
            .action = owner.needs.empty() ? "" : "Run `inetdiag_exporter check` as root."};
  }
  const Process& first = *owner.processes.begin();
  const std::string others =
      owner.count > 1 ? " and " + format_number(owner.count - 1) + " more" : "";
  return {.sentence = owner.found_by == "socket"
                          ? "Process " + named(first) + others + " has the socket."
                          : "Its cgroup has process " + named(first) + others + "." +
                                (owner.needs.empty() ? ""
                                                     : " Which has the socket cannot be seen: "
                                                       "needs " +
                                                           owner.needs + "."),
          .action = "Find out where it waits: `cat /proc/" + first.first +
                    "/stack` as root, `strace -f -p " + first.first + "` or `gdb -p " +
                    first.first + "`.",
          .evidence = {{"pid", pid_number(first.first)}}};
}

/// Returns the position after the full stop that ends a sentence. `listen ... backlog=N` has none.
std::size_t end_of_sentence(std::string_view text, std::size_t from) {
  constexpr std::string_view begins = "ABCDEFGHIJKLMNOPQRSTUVWXYZ`";
  for (std::size_t at = text.find(". ", from); at != std::string_view::npos;
       at = text.find(". ", at + 1)) {
    if (at + 2 < text.size() && begins.find(text[at + 2]) != std::string_view::npos) {
      return at + 1;
    }
  }
  return text.size();
}

/// Removes the sentence that begins with `begin`, and the blank after it.
void erase_sentence(std::string& text, std::string_view begin) {
  if (const std::size_t at = text.find(begin); at != std::string::npos) {
    text.erase(at, end_of_sentence(text, at) + 1 - at);
  }
}

void insert_after_first_sentence(std::string& text, const std::string& sentence) {
  text.insert(end_of_sentence(text, 0), " " + sentence);
}

/// Returns the owner with the processes of the sockets that accept nothing, if these are known,
/// else with all.
OwnerState stalled_owner(const Listener& listener) {
  OwnerState owner = *listener.owner_state;
  const auto has_other_socket = [&](const Process& process) {
    return std::ranges::find(listener.stalled_inodes, process.second.inode) ==
           listener.stalled_inodes.end();
  };
  if (!std::ranges::all_of(owner.processes, has_other_socket)) {
    std::erase_if(owner.processes, has_other_socket);
    owner.count = static_cast<double>(owner.processes.size());
  }
  return owner;
}

}  // namespace

std::vector<StallCause> causes_of_stall(const Listener& listener, const NamespaceDelta& delta) {
  if (!listener.owner_state) {
    return {};
  }
  const OwnerState owner = stalled_owner(listener);
  const Listener* then = delta.previous(listener);
  const Stall stall{.now = owner,
                    .before = then != nullptr && then->owner_state ? &*then->owner_state : nullptr,
                    .seconds = delta.seconds};
  Causes causes;
  // A task that is frozen or stopped has no other reason.
  for (const auto find : {find_frozen, find_stopped}) {
    find(stall, causes);
    if (!causes.empty()) {
      return causes;
    }
  }
  for (const auto find : {find_exhausted_files, find_throttled, find_memory, find_uninterruptible,
                          find_busy, find_exhausted_pids}) {
    find(stall, causes);
  }
  causes.resize(std::min(causes.size(), max_causes));
  return causes;
}

std::string why_not_accepted(const Listener& listener, const NamespaceDelta& delta) {
  std::string text;
  for (const StallCause& cause : causes_of_stall(listener, delta)) {
    text += (text.empty() ? "" : " ") + cause.sentence;
  }
  return text.empty() && listener.owner_state ? describe_owner(stalled_owner(listener)).sentence
                                              : text;
}

void add_cause(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  if (!listener.owner_state) {
    return;
  }
  const std::string why = why_not_accepted(listener, delta);
  if (why.empty()) {
    return;
  }
  const Causes causes = causes_of_stall(listener, delta);
  const StallCause first =
      causes.empty() ? describe_owner(stalled_owner(listener)) : causes.front();
  insert_after_first_sentence(finding.summary, why);
  finding.evidence.insert(finding.evidence.end(), first.evidence.begin(), first.evidence.end());
  if (!listener.owner_state->processes.empty()) {
    erase_sentence(finding.action, "`ss -ltnp");
  }
  if (!causes.empty()) {
    erase_sentence(finding.action, "Find out why the program does not call accept()");
    erase_sentence(finding.action, "To lengthen the queue");
    if (finding.action.find("A larger backlog does not help.") == std::string::npos) {
      finding.action =
          "A larger backlog does not help." + (finding.action.empty() ? "" : " " + finding.action);
    }
  }
  finding.action = first.action + " " + finding.action;
  if (finding.action.ends_with(' ')) {
    finding.action.pop_back();
  }
}

}  // namespace inetdiag::diagnosis
