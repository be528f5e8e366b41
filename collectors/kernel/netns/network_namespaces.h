// The network namespaces of a host: those pinned under /run/netns (ip-netns(8)) and those that
// processes live in (/proc/PID/ns/net, namespaces(7)). A namespace is known by the device and inode
// of its file in nsfs, however many names and processes it has.
#pragma once

#include <compare>
#include <cstdint>
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
  std::string name;   ///< the first of those it is pinned by; or empty
  std::string file;   ///< to open it by
  pid_t process = 0;  ///< one that lives in it; 0 where none is known
};

/// The namespace of the calling thread. Throws std::system_error.
NamespaceId own_network_namespace();

struct PinnedNamespaces {
  std::vector<NetworkNamespace> found;      ///< by name, but those by a symbolic link last
  std::vector<std::system_error> refusals;  ///< of names that could not be looked at
};

/// What is pinned below `folder`. Other files are left out. Throws std::system_error where it
/// cannot be read, or is not there.
PinnedNamespaces pinned_network_namespaces(const std::string& folder);

/// One of them. Throws std::invalid_argument where `name` is none, and std::system_error where
/// nothing is pinned by it.
NetworkNamespace pinned_network_namespace(const std::string& folder, const std::string& name);

struct ProcessNamespaces {
  std::vector<NetworkNamespace> found;
  bool has_refused = false;  ///< some processes may not be asked: those of other users, as a rule
};

/// What the processes of `proc` live in, one process for each. Processes that end meanwhile are
/// left out. Throws DeadlineExceeded, and std::system_error where `proc` cannot be read.
ProcessNamespaces process_network_namespaces(const FileTree& proc, const Deadline& deadline);

/// Each namespace once, by its id: names and processes of both lists come together.
std::vector<NetworkNamespace> merged(const std::vector<NetworkNamespace>& pinned,
                                     const std::vector<NetworkNamespace>& of_processes);

/// Moves the calling thread there. Throws std::system_error: ENOENT where it is gone, EPERM where
/// CAP_SYS_ADMIN is missing.
void enter_network_namespace(const NetworkNamespace& target);

}  // namespace inetdiag::kernel
