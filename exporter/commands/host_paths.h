#pragma once

#include <string>

#include "collectors/kernel/netns/pod_names.h"

namespace inetdiag {

/// Directories of the host. Tests replace them with recorded files.
struct HostPaths {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  kernel::KubeletLogs kubelet_logs{};
};

}  // namespace inetdiag
