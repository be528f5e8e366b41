// Who owns a socket: the cgroup v2 that it was made in (INET_DIAG_CGROUP_ID), whose id is the inode
// number of the cgroup's directory (cgroups(7), kernel/cgroup/cgroup.c).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "collectors/kernel/deadline.h"
#include "collectors/kernel/file_tree.h"

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

/// Finds the paths of cgroups by their ids. It walks the cgroup directories only when it is asked
/// for an id that it has not met, and remembers what it was last asked for.
class CgroupPaths {
 public:
  using Id = std::uint64_t;

  /// The paths of those ids that can be found, without the mount point: `/system.slice/a.service`.
  /// The root's id (1) is no answer: it is also what a socket says where net_cls or net_prio is in
  /// use (include/linux/cgroup-defs.h, sock_cgroup_ptr). Works on cgroup v2 and on the hybrid
  /// layout; without either, nothing is found. Throws DeadlineExceeded.
  const std::map<Id, std::string>& find(const FileTree& sys, const std::set<Id>& ids,
                                        const Deadline& deadline);

 private:
  std::set<Id> asked_;
  std::map<Id, std::string> found_;
};

}  // namespace inetdiag::kernel
