// Who owns a socket: the cgroup v2 that it was made in (INET_DIAG_CGROUP_ID), whose id is the inode
// number of the cgroup's directory (cgroups(7), kernel/cgroup/cgroup.c).
#pragma once

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

/// What the names in a cgroup's path tell; empty what they do not.
struct CgroupOwner {
  std::string unit{};          ///< the innermost systemd service or scope that is no container's
  std::string pod_uid{};       ///< of a kubelet's pod, with hyphens
  std::string container_id{};  ///< 64 hexadecimal digits (containerd, CRI-O, Docker, Podman)

  bool operator==(const CgroupOwner&) const = default;
};

/// Understands the systemd and the cgroupfs driver of kubelet, and Docker's and Podman's own trees.
CgroupOwner owner_of_cgroup(std::string_view path);

/// The pod or container out of /proc/PID/cgroup (cgroups(7)), of any hierarchy of version 1 or 2:
/// the first that names one. Empty where none does.
CgroupOwner owner_of_process(std::string_view proc_cgroup);

using CgroupId = std::uint64_t;

/// The cgroups of the host in one scrape: the directories are walked over once, when the first asks
/// for them, however many network namespaces need them.
class CgroupTree {
 public:
  struct Walk {
    /// Without the mount point: `/system.slice/a.service`. The root's id (1) is not in it: it is
    /// also what a socket says where net_cls or net_prio is in use (include/linux/cgroup-defs.h,
    /// sock_cgroup_ptr).
    std::unordered_map<CgroupId, std::string> paths{};
    bool is_whole = false;  ///< what is not in it was not there
  };

  CgroupTree(const FileTree& sys, const Deadline& deadline) : sys_(sys), deadline_(deadline) {}

  /// Works on cgroup v2 and on the hybrid layout; without either, it is empty. Throws
  /// DeadlineExceeded.
  const Walk& walk();
  bool was_walked() { return walk_.answer() != nullptr; }

 private:
  Walk take_walk() const;

  const FileTree& sys_;
  const Deadline& deadline_;
  Memoized<Walk> walk_;
};

/// The paths of cgroups by their ids, over scrapes: the tree is walked over only for an id that was
/// not asked for last time.
class CgroupPaths {
 public:
  /// Those that can be found. Throws as CgroupTree::walk() does.
  const std::map<CgroupId, std::string>& find(CgroupTree& tree, const std::set<CgroupId>& ids);

 private:
  std::set<CgroupId> known_;  ///< also those that are not there
  std::map<CgroupId, std::string> found_;
};

}  // namespace inetdiag::kernel
