// Finds the processes that have a socket open.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

struct SearchedSocket {
  std::uint64_t inode = 0;
  std::string cgroup{};  ///< path of the cgroup v2 that created it; empty if unknown
};

struct FoundProcess {
  pid_t pid = 0;
  pid_t parent = 0;
  std::uint64_t start_ticks = 0;  ///< 0 if unknown

  bool operator==(const FoundProcess&) const = default;
};

struct SocketProcesses {
  /// `socket`: they have the socket open. `cgroup`: they are in the cgroup that created it, and
  /// descriptors cannot be read. `none`: no process was found.
  std::string_view found_by = "none";
  bool has_hidden = false;  ///< a process that may have the socket open could not be examined
  /// There are more processes than are searched, and it was not found in these.
  bool is_truncated = false;
  std::vector<FoundProcess> processes{};
};

/// Returns whether a process that was found earlier has ended, even if another one has its PID.
bool has_ended(const FileTree& proc, const FoundProcess& process);

/// Parses cgroup.procs. Processes of other PID namespaces are 0.
std::vector<pid_t> parse_cgroup_processes(std::string_view text);

/// Searches the cgroup of each socket first, then all processes, 4096 at most. Throws
/// DeadlineExceeded.
std::map<std::uint64_t, SocketProcesses> find_processes(const FileTree& proc, const FileTree& sys,
                                                        const std::vector<SearchedSocket>& sockets,
                                                        const Deadline& deadline);

}  // namespace inetdiag::kernel
