// Reads processes below /proc. A process that ends meanwhile is absent, not an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

#include "collectors/kernel/proc/file_tree.h"
#include "collectors/kernel/proc/process.h"

namespace inetdiag::kernel {

/// Returns the contents of a file, or nothing if it cannot be read for any reason.
std::optional<std::string> read_if_possible(const FileTree& tree, const std::string& relative);

/// Returns the numbers that name entries of a directory, ascending: processes in "", threads in
/// "PID/task". Stops after `max`.
std::vector<pid_t> numbered_entries(const FileTree& proc, const std::string& relative,
                                    std::size_t max);

/// Which of some sockets a process has open.
struct OpenSockets {
  bool is_hidden = false;  ///< its descriptors cannot be read, or /proc does not show the process
  std::set<std::uint64_t> inodes{};
};

/// Reads up to `max_links` descriptors (/proc/PID/fd).
OpenSockets find_open_sockets(const FileTree& proc, pid_t process,
                              const std::set<std::uint64_t>& wanted, std::size_t max_links);

/// Returns the number of open descriptors: the size of /proc/PID/fd, which needs no privileges
/// (since Linux 6.2, fs/proc/fd.c, proc_fd_getattr), or else the number of its entries. Absent if
/// there are more than `max` to count.
std::optional<std::uint64_t> count_open_files(const FileTree& proc, pid_t process,
                                              std::uint64_t max);

}  // namespace inetdiag::kernel
