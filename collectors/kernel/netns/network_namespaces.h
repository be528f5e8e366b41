// The network namespaces of a host: those pinned in a directory such as /run/netns (ip-netns(8))
// and those of processes (/proc/PID/ns/net, namespaces(7)). Device and inode of the nsfs file
// identify a namespace; it may have several names and processes.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <sys/types.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/unique_fd.h"
#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

struct NamespaceId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const NamespaceId&) const = default;
};

struct NetworkNamespace {
  NamespaceId id;
  std::string name;   ///< the first name that it is pinned under; empty if not pinned
  std::string file;   ///< path to open
  pid_t process = 0;  ///< one of its processes; 0 if unknown
};

/// Returns the namespace of the calling thread. Throws std::system_error.
NamespaceId own_network_namespace();

struct PinnedNamespaces {
  std::vector<NetworkNamespace> found;    ///< sorted by name, symbolic links last
  std::vector<std::system_error> errors;  ///< one for each file that could not be examined
};

/// Returns the namespaces pinned in a directory; ignores other files. Throws std::system_error if
/// it cannot be read or does not exist.
PinnedNamespaces pinned_network_namespaces(const std::string& directory_path);

/// Returns the namespace with this name in the first of the directories that has it. Throws
/// std::invalid_argument for an invalid name, and std::system_error if none has it.
NetworkNamespace pinned_network_namespace(const std::vector<std::string>& directories,
                                          const std::string& name);

/// Returns the namespace that is pinned at a file. Throws std::system_error.
NetworkNamespace network_namespace_at(const std::string& file);

struct ProcessNamespaces {
  std::vector<NetworkNamespace> found;
  std::set<pid_t> denied;  ///< processes to which access was denied, usually of other users
};

/// Returns the namespaces of all processes, with one process for each. Ignores processes that exit
/// in the meantime. Throws DeadlineExceeded, and std::system_error if `proc` cannot be read.
ProcessNamespaces process_network_namespaces(const FileTree& proc, const Deadline& deadline);

/// Merges both lists by ID, in their order: each namespace has its name, its process or both.
std::vector<NetworkNamespace> merge_namespaces(const std::vector<NetworkNamespace>& pinned,
                                               const std::vector<NetworkNamespace>& of_processes);

/// Returns when the kernel created the inode of a namespace, which exists while the namespace is
/// mounted or open; nothing if it cannot be read.
std::optional<std::chrono::system_clock::time_point> inode_created(const NetworkNamespace& netns);

/// Moves the calling thread to a namespace. Throws std::system_error: ENOENT if it no longer
/// exists, EPERM without CAP_SYS_ADMIN.
void enter_network_namespace(const NetworkNamespace& target);

}  // namespace inetdiag::kernel
