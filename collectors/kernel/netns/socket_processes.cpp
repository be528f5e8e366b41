#include "collectors/kernel/netns/socket_processes.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/proc/process_files.h"

namespace inetdiag::kernel {
namespace {

constexpr std::size_t max_searched_processes = 4096;
constexpr std::size_t max_links_of_process = 1U << 17U;
/// Without access to descriptors, more processes than this name nobody.
constexpr std::size_t max_processes_of_cgroup = 512;

FoundProcess identify(const FileTree& proc, pid_t process) {
  const auto stat =
      parse_task_stat(read_if_possible(proc, std::to_string(process) + "/stat").value_or(""));
  return {.pid = process,
          .parent = stat ? stat->parent : 0,
          .start_ticks = stat ? stat->start_ticks : 0};
}

class ProcessSearch {
 public:
  ProcessSearch(const FileTree& proc, const FileTree& sys, const Deadline& deadline)
      : proc_(proc), sys_(sys), deadline_(deadline) {}

  void add(const SearchedSocket& socket) {
    found_[socket.inode];
    by_cgroup_[is_informative(socket.cgroup) ? socket.cgroup : ""].insert(socket.inode);
  }

  std::map<std::uint64_t, SocketProcesses> run() {
    const auto hierarchy = unified_hierarchy(sys_);
    for (const auto& [cgroup, inodes] : by_cgroup_) {
      if (!cgroup.empty() && hierarchy) {
        processes_of_[cgroup] =
            parse_cgroup_processes(read_if_possible(sys_, "fs/cgroup/" + std::string(*hierarchy) +
                                                              cgroup + "/cgroup.procs")
                                       .value_or(""));
        search(processes_of_[cgroup], inodes);
      }
    }
    // systemd opens sockets for a service in its own cgroup, and processes move.
    if (const auto rest = not_found(); !rest.empty()) {
      auto processes = numbered_entries(proc_, "", max_searched_processes + 1);
      const bool is_truncated = processes.size() > max_searched_processes;
      processes.resize(std::min(processes.size(), max_searched_processes));
      search(processes, rest);
      if (is_truncated) {
        for (const std::uint64_t inode : not_found()) {
          found_[inode].has_hidden = true;
          found_[inode].is_truncated = true;
        }
      }
    }
    fall_back_to_cgroups();
    return std::move(found_);
  }

 private:
  /// Whether the processes of the cgroup are likely to have the socket: not the root, and not that
  /// of a service manager that opens sockets for others.
  static bool is_informative(std::string_view cgroup) {
    return cgroup.size() > 1 && !cgroup.ends_with("/init.scope");
  }

  std::set<std::uint64_t> not_found() const {
    std::set<std::uint64_t> inodes;
    for (const auto& [inode, socket] : found_) {
      if (socket.processes.empty()) {
        inodes.insert(inode);
      }
    }
    return inodes;
  }

  void search(const std::vector<pid_t>& processes, const std::set<std::uint64_t>& inodes) {
    for (const pid_t process : processes) {
      deadline_.check();
      OpenSockets open{.is_hidden = true};
      if (process != 0) {
        open = find_open_sockets(proc_, process, inodes, max_links_of_process);
      }
      for (const std::uint64_t inode : inodes) {
        SocketProcesses& socket = found_[inode];
        socket.has_hidden = socket.has_hidden || open.is_hidden;
        if (open.inodes.contains(inode)) {
          socket.found_by = "socket";
          socket.processes.push_back(identify(proc_, process));
        }
      }
    }
  }

  void fall_back_to_cgroups() {
    for (const auto& [cgroup, processes] : processes_of_) {
      for (const std::uint64_t inode : by_cgroup_[cgroup]) {
        SocketProcesses& socket = found_[inode];
        if (!socket.processes.empty() || !socket.has_hidden ||
            processes.size() > max_processes_of_cgroup) {
          continue;
        }
        for (const pid_t process : processes) {
          if (process != 0) {
            socket.processes.push_back(identify(proc_, process));
          }
        }
        socket.found_by = socket.processes.empty() ? "none" : "cgroup";
      }
    }
  }

  const FileTree& proc_;
  const FileTree& sys_;
  const Deadline& deadline_;
  std::map<std::string, std::set<std::uint64_t>> by_cgroup_;
  std::map<std::string, std::vector<pid_t>> processes_of_;
  std::map<std::uint64_t, SocketProcesses> found_;
};

}  // namespace

bool has_ended(const FileTree& proc, const FoundProcess& process) {
  const auto stat =
      parse_task_stat(read_if_possible(proc, std::to_string(process.pid) + "/stat").value_or(""));
  return !stat || (process.start_ticks != 0 && stat->start_ticks != process.start_ticks);
}

std::vector<pid_t> parse_cgroup_processes(std::string_view text) {
  std::vector<pid_t> processes;
  while (!text.empty() && processes.size() < max_searched_processes) {
    const auto process = to_number<pid_t>(next_line(text));
    if (process && *process >= 0) {
      processes.push_back(*process);
    }
  }
  return processes;
}

std::map<std::uint64_t, SocketProcesses> find_processes(const FileTree& proc, const FileTree& sys,
                                                        const std::vector<SearchedSocket>& sockets,
                                                        const Deadline& deadline) {
  ProcessSearch search(proc, sys, deadline);
  for (const SearchedSocket& socket : sockets) {
    search.add(socket);
  }
  return search.run();
}

}  // namespace inetdiag::kernel
