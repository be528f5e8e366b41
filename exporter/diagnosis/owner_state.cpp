#include "exporter/diagnosis/owner_state.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "exporter/diagnosis/number_format.h"
#include "exporter/diagnosis/shell_safe.h"
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

double all_threads(const ListenerProcess& process) {
  double all = 0;
  for (const auto& [state, count] : process.threads) {
    all += count;
  }
  return all;
}

bool is_stopped(const ListenerProcess& process) {
  const double all = all_threads(process);
  return all > 0 && threads_in(process, "stopped") + threads_in(process, "traced") == all;
}

bool is_uninterruptible(const ListenerProcess& process) {
  const double all = all_threads(process);
  return all > 0 && threads_in(process, "uninterruptible") == all;
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

  bool has_socket() const { return now.found_by == "socket"; }

  /// Returns whether all processes that may accept are known.
  bool are_all_known() const {
    return now.processes.size() < max_listed_processes ||
           now.count <= static_cast<double>(now.processes.size());
  }

  /// Returns those that match.
  template <typename Predicate>
  std::vector<const Process*> processes(Predicate matches) const {
    std::vector<const Process*> matching;
    for (const Process& process : now.processes) {
      if (matches(process)) {
        matching.push_back(&process);
      }
    }
    return matching;
  }

  /// If one of several processes with the socket is not affected, it can accept.
  bool is_certain(std::size_t affected) const {
    return has_socket() && affected == now.processes.size() && are_all_known();
  }

  /// Returns the process as the beginning of a sentence.
  std::string subject(const Process& process) const {
    return (has_socket() ? "Process " : "A process of its cgroup: ") + named(process);
  }

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
      const bool is_v1 = is_cgroup_v1(directory);
      const char* file = is_v1 ? "freezer.state" : "cgroup.freeze";
      const char* value = is_v1 ? "THAWED" : "0";
      causes.push_back(
          {.sentence = "Its cgroup " + directory + " is frozen.",
           .action = is_shell_safe(directory)
                         ? fmt::format("Thaw it: `echo {} > {}/{}`.", value, directory, file)
                         : fmt::format("Thaw it: write {} to its {}.", value, file),
           .evidence = {{"frozen", 1}}});
    }
  }
}

void find_stopped(const Stall& stall, Causes& causes) {
  const auto stopped =
      stall.processes([](const Process& process) { return is_stopped(process.second); });
  if (stopped.empty()) {
    return;
  }
  const Process& first = *stopped.front();
  const bool is_certain = stall.is_certain(stopped.size());
  const bool is_traced = threads_in(first.second, "traced") > 0;
  const std::string reason =
      is_traced ? " (by a debugger or tracer)." : " (SIGSTOP or job control).";
  const std::string count = format_number(static_cast<double>(stopped.size()));
  std::string pids;
  for (const Process* process : stopped) {
    pids += " " + process->first;
  }
  std::string sentence;
  if (stopped.size() == 1 && (is_certain || !stall.has_socket())) {
    sentence = stall.subject(first) + " is stopped" + reason;
  } else if (is_certain) {
    sentence = "All " + count + " processes that may accept are stopped" + reason;
  } else {
    sentence = (stall.are_all_known() ? "" : "At least ") + count + " of " +
               format_number(stall.now.count) + " processes " +
               (stall.has_socket() ? "that have the socket" : "of its cgroup") +
               (stopped.size() > 1 ? " are" : " is") + " stopped" + reason;
  }
  causes.push_back(
      {.sentence = sentence,
       .action = is_traced ? "Let the debugger continue " +
                                 std::string(stopped.size() > 1 ? "them" : "it") + ", or detach it."
                           : "Continue " + std::string(stopped.size() > 1 ? "them" : "it") +
                                 ": `kill -CONT" + pids + "`.",
       .is_certain = is_certain,
       .evidence = {{"pid", pid_number(first.first)}}});
}

/// At the limit accept() fails, but only of this process.
void find_exhausted_files(const Stall& stall, Causes& causes) {
  const auto exhausted = stall.processes([](const Process& process) {
    const auto& [open, limit] =
        std::pair(process.second.open_files, process.second.open_files_limit);
    return open && limit && *open >= *limit;
  });
  if (exhausted.empty()) {
    return;
  }
  const Process& first = *exhausted.front();
  const auto open = first.second.open_files;
  const auto limit = first.second.open_files_limit;
  causes.push_back(
      {.sentence = stall.subject(first) + " has " + format_number(*open) + " of " +
                   format_number(*limit) + " file descriptors open" +
                   (stall.has_socket() ? ": accept() fails with EMFILE." : "."),
       .action = "Find out what it keeps open (`ls -l /proc/" + first.first +
                 "/fd`), and raise its limit: LimitNOFILE= of the systemd unit, `ulimit -n`.",
       .is_certain = stall.is_certain(exhausted.size()),
       .evidence = {
           {"pid", pid_number(first.first)}, {"open_files", open}, {"open_files_limit", limit}}});
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
  // Of several cgroups with a limit, the one that is closest to it.
  std::optional<StallCause> cause;
  double highest_share = 0;
  for (const Cgroup& cgroup : stall.now.cgroups) {
    const CgroupState& state = cgroup.second;
    if (!state.memory_bytes || !state.memory_limit_bytes) {
      continue;
    }
    const double kills = stall.growth_of_event(cgroup, "oom_kill");
    const bool is_limited =
        stall.growth_of_event(cgroup, "max") > 0 || stall.growth_of_event(cgroup, "high") > 0;
    const double share = *state.memory_bytes / std::max(1.0, *state.memory_limit_bytes);
    if ((kills == 0 && (pressure < min_memory_pressure || !is_limited)) ||
        (cause && share <= highest_share)) {
      continue;
    }
    highest_share = share;
    cause = {.sentence = "Its cgroup " + cgroup.first + " uses " +
                         format_bytes(*state.memory_bytes) + " of " +
                         format_bytes(*state.memory_limit_bytes) + " memory" +
                         (kills > 0 ? ", and the kernel killed processes for lack of it."
                                    : ": its processes wait for memory " +
                                          format_percent(pressure) + " of the time."),
             .action =
                 "Raise its memory limit (MemoryMax=, MemoryHigh=, the limit of the "
                 "container), or find what uses the memory.",
             .evidence = {{"memory_bytes", state.memory_bytes},
                          {"memory_limit_bytes", state.memory_limit_bytes},
                          {"new_oom_kills", kills}}};
  }
  if (cause) {
    causes.push_back(std::move(*cause));
  }
}

/// Each disk access is such a sleep for a moment, and a thread for disk access is always in one:
/// all threads must be, in both snapshots.
void find_uninterruptible(const Stall& stall, Causes& causes) {
  const auto waiting = stall.processes([&stall](const Process& process) {
    const ListenerProcess* then = stall.previous(process);
    return then != nullptr && is_uninterruptible(process.second) && is_uninterruptible(*then);
  });
  if (!waiting.empty()) {
    const Process& first = *waiting.front();
    causes.push_back(
        {.sentence = stall.subject(first) + " waits in uninterruptible sleep (disk or NFS).",
         .action = "Find out what it waits for: `cat /proc/" + first.first + "/stack` as root.",
         .is_certain = stall.is_certain(waiting.size()),
         .evidence = {{"pid", pid_number(first.first)}}});
  }
}

bool has_busy_thread(const Process& process) {
  return process.second.busiest_cpu.value_or(0) + process.second.busiest_wait.value_or(0) >=
         min_runnable_ratio;
}

/// A thread that a quota throttles is runnable, too. In a process with several threads the busy one
/// need not be the one that accepts, unless each process has one: then they are worker processes.
void find_busy(const Stall& stall, Causes& causes) {
  if (std::ranges::any_of(stall.now.cgroups,
                          [&](const Cgroup& cgroup) { return is_throttled(stall, cgroup); })) {
    return;
  }
  const auto busy = stall.processes(has_busy_thread);
  if (busy.empty()) {
    return;
  }
  const Process& first = *busy.front();
  const double threads = all_threads(first.second);
  const bool is_certain = stall.is_certain(busy.size()) && (threads <= 1 || busy.size() > 1);
  const double cpu = first.second.busiest_cpu.value_or(0);
  const std::string subject =
      threads > 1 ? "One of the " + format_number(threads) + " threads of " : "One thread of ";
  const std::string use = cpu >= min_full_cpu_ratio
                              ? " uses a full CPU"
                              : " is always runnable and gets " + format_percent(cpu) + " of a CPU";
  const std::string conclusion = !is_certain ? "."
                                 : cpu >= min_full_cpu_ratio
                                     ? ": a busy loop, or more work than it "
                                       "can do."
                                     : ": a busy loop, or the host lacks "
                                       "CPU time.";
  causes.push_back(
      {.sentence = (stall.has_socket() ? "" : "A process of its cgroup: ") + subject +
                   named(first) + use + conclusion,
       .action = is_certain ? "Find out what it does: `perf top -p " + first.first +
                                  "` or `gdb -p " + first.first +
                                  "`. More threads or processes help only if it has work to do."
                            : "",
       .is_certain = is_certain,
       .evidence = {{"pid", pid_number(first.first)},
                    {"busiest_thread_cpu_ratio", cpu},
                    {"busiest_thread_cpu_wait_ratio", first.second.busiest_wait}}});
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
      return;
    }
  }
}

/// Returns whether the processes that have the socket open neither run nor wait for the CPU.
bool is_asleep(const OwnerState& owner) {
  return owner.found_by == "socket" && owner.count <= static_cast<double>(owner.processes.size()) &&
         std::ranges::all_of(owner.processes, [](const Process& process) {
           const double all = all_threads(process.second);
           return all > 0 && threads_in(process.second, "sleeping") == all;
         });
}

/// Returns ` and 2 other processes have`, or ` has` for one process.
std::string and_others(double count) {
  if (count <= 1) {
    return " has";
  }
  return " and " + format_number(count - 1) + " other process" + (count > 2 ? "es" : "") + " have";
}

/// Returns ` All its threads sleep.`, if that is so; empty otherwise.
std::string asleep_text(const OwnerState& owner) {
  if (!is_asleep(owner)) {
    return "";
  }
  if (owner.count > 1) {
    return " All their threads sleep.";
  }
  return all_threads(owner.processes.begin()->second) > 1 ? " All its threads sleep."
                                                          : " It sleeps.";
}

/// Returns what is known without a cause. `manager` is PID 1, which must not be traced.
StallCause describe_owner(const OwnerState& owner, const std::optional<Process>& manager) {
  if (owner.processes.empty() && manager && owner.found_by == "socket") {
    return {.sentence = "Only " + named(*manager) + " has the socket open.",
            .action = manager->second.comm == "systemd"
                          ? "Find out why the service that accepts from the socket does not run."
                          : "",
            .is_certain = false};
  }
  if (owner.processes.empty()) {
    const std::string why =
        owner.needs.empty() ? ""
        : owner.needs == "access"
            ? "The processes that have the socket open cannot be read: a security "
              "module or a user namespace denies access."
            : "Reading which process has the socket open takes " + owner.needs + ".";
    return {.sentence = why,
            .action = owner.needs.empty() ? "" : "Run `inetdiag_exporter check` as root.",
            .is_certain = false};
  }
  const Process& first = *owner.processes.begin();
  const std::string hidden =
      owner.needs.empty()
          ? ""
          : " Reading " + std::string(owner.count > 1 ? "which of them" : "whether it") +
                " has the socket open takes " + owner.needs + ".";
  const std::string others =
      owner.count > 1 ? " and " + format_number(owner.count - 1) + " more" : "";
  return {.sentence = owner.found_by == "socket"
                          ? (owner.count > 1 ? "" : "Process ") + named(first) +
                                and_others(owner.count) + " the socket open." + asleep_text(owner)
                          : "Its cgroup has process " + named(first) + others + "." + hidden,
          .action = "Find out where it waits: `cat /proc/" + first.first +
                    "/stack` as root, `strace -f -p " + first.first + "` or `gdb -p " +
                    first.first + "`.",
          .is_certain = false,
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

/// What is known about the owner of a listener.
struct Explanation {
  OwnerState owner;
  StallCause description{};  ///< if no cause is certain
  Causes causes{};           ///< certain ones first

  bool has_cause() const { return !causes.empty() && causes.front().is_certain; }

  std::string text() const {
    std::string text = has_cause() ? "" : description.sentence;
    for (const StallCause& cause : causes) {
      text += (text.empty() ? "" : " ") + cause.sentence;
    }
    return text;
  }

  const StallCause& first() const { return causes.empty() ? description : causes.front(); }

  std::string action() const {
    std::string action = causes.empty() ? "" : causes.front().action;
    if (!has_cause() && !description.action.empty()) {
      action += (action.empty() ? "" : " ") + description.action;
    }
    return action;
  }
};

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

void find_causes(const Stall& stall, Causes& causes) {
  // A task that is frozen or stopped has no other reason.
  for (const auto find : {find_frozen, find_stopped}) {
    find(stall, causes);
    if (std::ranges::any_of(causes, &StallCause::is_certain)) {
      return;
    }
  }
  for (const auto find : {find_exhausted_files, find_throttled, find_memory, find_uninterruptible,
                          find_busy, find_exhausted_pids}) {
    find(stall, causes);
  }
}

Explanation explain_stall(const Listener& listener, const NamespaceDelta& delta) {
  Explanation explanation{.owner = stalled_owner(listener)};
  OwnerState& owner = explanation.owner;
  std::optional<Process> manager;
  if (const auto found = owner.processes.find("1"); found != owner.processes.end()) {
    manager.emplace(*found);
    owner.processes.erase(found);
  }
  const Listener* then = delta.previous(listener);
  const Stall stall{.now = owner,
                    .before = then != nullptr && then->owner_state ? &*then->owner_state : nullptr,
                    .seconds = delta.seconds};
  find_causes(stall, explanation.causes);
  std::ranges::stable_sort(explanation.causes, std::greater<>(), &StallCause::is_certain);
  explanation.causes.resize(std::min(explanation.causes.size(), max_causes));
  explanation.description = describe_owner(owner, manager);
  return explanation;
}

}  // namespace

std::vector<StallCause> causes_of_stall(const Listener& listener, const NamespaceDelta& delta) {
  return listener.owner_state ? explain_stall(listener, delta).causes : Causes();
}

std::string why_not_accepted(const Listener& listener, const NamespaceDelta& delta) {
  return listener.owner_state ? explain_stall(listener, delta).text() : "";
}

void add_cause(Finding& finding, const Listener& listener, const NamespaceDelta& delta) {
  if (!listener.owner_state) {
    return;
  }
  const Explanation explanation = explain_stall(listener, delta);
  const std::string why = explanation.text();
  if (why.empty()) {
    return;
  }
  insert_after_first_sentence(finding.summary, why);
  const StallCause& first = explanation.first();
  finding.evidence.insert(finding.evidence.end(), first.evidence.begin(), first.evidence.end());
  if (explanation.owner.found_by == "socket" && !explanation.owner.processes.empty()) {
    erase_sentence(finding.action, "`ss -ltnp");
  }
  if (explanation.has_cause() || is_asleep(explanation.owner)) {
    erase_sentence(finding.action, "Find out why the ");
  }
  if (explanation.has_cause()) {
    erase_sentence(finding.action, "To lengthen the queue");
    if (finding.action.find("A larger backlog does not help.") == std::string::npos) {
      finding.action =
          "A larger backlog does not help." + (finding.action.empty() ? "" : " " + finding.action);
    }
  }
  finding.action = explanation.action() + " " + finding.action;
  if (finding.action.ends_with(' ')) {
    finding.action.pop_back();
  }
}

}  // namespace inetdiag::diagnosis
