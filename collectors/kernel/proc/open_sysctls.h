#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/kernel/base/unique_fd.h"
#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

/// How many descriptors the sysctls of network namespaces may keep.
struct SysctlDescriptors {
  std::size_t own_namespace = 0;     ///< of the exporter
  std::size_t other_namespaces = 0;  ///< together
};

/// Returns a quarter of the soft limit (RLIMIT_NOFILE), or none if the limit is below 1024, because
/// clients need them.
SysctlDescriptors sysctl_descriptors();

/// The sysctl files of one network namespace, open between scrapes. Opening one takes several times
/// as long as reading it, and longer with each namespace: the entries of a sysctl in all namespaces
/// share one hash chain of the dentry cache (fs/proc/proc_sysctl.c, proc_sys_compare).
class OpenSysctls {
 public:
  /// Keeps up to `max_files` descriptors; opens further files for each read.
  explicit OpenSysctls(std::size_t max_files) : max_files_(max_files) {}

  std::size_t max_files() const { return max_files_; }

  /// As FileTree::read() of a file below sys/, in the namespace of the calling thread.
  std::optional<std::string> read(const FileTree& proc, std::string_view relative);

 private:
  const std::size_t max_files_;
  std::mutex mutex_;
  std::map<std::string, UniqueFd, std::less<>> files_;
};

}  // namespace inetdiag::kernel
