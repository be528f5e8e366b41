// Owners of sockets, by the cgroup v2 in which a socket was created (INET_DIAG_CGROUP_ID). The ID
// of a cgroup is the inode number of its directory (cgroups(7), kernel/cgroup/cgroup.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/memoized.h"
#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

/// The owner that the path of a cgroup names. Unknown members are empty.
struct CgroupOwner {
  std::string machine{};  ///< container of systemd-nspawn or LXC, or virtual machine of libvirt
  std::string unit{};     ///< innermost service or scope that is not a container's, of the machine
  std::string pod_uid{};  ///< with hyphens, of a pod of kubelet
  std::string container_id{};  ///< 64 hexadecimal digits (containerd, CRI-O, Docker, Podman)

  bool operator==(const CgroupOwner&) const = default;
};

/// Supports kubelet's systemd and cgroupfs drivers, Docker, Podman and its services (quadlets),
/// systemd-machined (systemd-nspawn, libvirt) and LXC.
CgroupOwner owner_of_cgroup(std::string_view path);

/// Returns the first pod or container in /proc/PID/cgroup (cgroups(7)), of any hierarchy of cgroup
/// v1 or v2.
CgroupOwner owner_of_process(std::string_view proc_cgroup);

/// Returns the directory of cgroup v2 below /sys/fs/cgroup: empty, or `unified` in the hybrid
/// layout; nothing on cgroup v1.
std::optional<std::string_view> unified_hierarchy(const FileTree& sys);

using CgroupId = std::uint64_t;

/// The cgroups of the host in one scrape. The first call of walk() reads the directories; all
/// network namespaces share the result.
class CgroupTree {
 public:
  struct Walk {
    /// Relative to the mount point: `/system.slice/a.service`. Without the root (ID 1), which
    /// sockets also report if net_cls or net_prio is in use (include/linux/cgroup-defs.h,
    /// sock_cgroup_ptr).
    std::unordered_map<CgroupId, std::string> paths{};
    bool is_complete = false;  ///< a cgroup that is missing in paths did not exist
  };

  /// Of all paths. Users with a cgroup of their own can create many below it.
  static constexpr std::size_t max_path_bytes = 1U << 26U;

  CgroupTree(const FileTree& sys, const Deadline& deadline,
             std::size_t path_bytes_limit = max_path_bytes)
      : sys_(sys), deadline_(deadline), path_bytes_limit_(path_bytes_limit) {}

  /// Supports cgroup v2 and the hybrid layout; empty on cgroup v1. Throws DeadlineExceeded, and
  /// std::length_error beyond the limit.
  const Walk& walk();
  const FileTree& sys() const { return sys_; }
  bool was_walked() { return walk_.value_if_ready() != nullptr; }

 private:
  Walk walk_directories() const;

  const FileTree& sys_;
  const Deadline& deadline_;
  std::size_t path_bytes_limit_;
  Memoized<Walk> walk_;
};

/// Caches the paths of cgroups across scrapes. Walks the tree only for IDs that the previous call
/// did not have.
class CgroupPaths {
 public:
  /// Returns the paths of those IDs that exist. Throws as CgroupTree::walk().
  const std::map<CgroupId, std::string>& find(CgroupTree& tree, const std::set<CgroupId>& ids);

 private:
  std::set<CgroupId> known_;  ///< including those that do not exist
  std::map<CgroupId, std::string> found_;
};

}  // namespace inetdiag::kernel
