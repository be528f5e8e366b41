#pragma once

#include <string>

namespace inetdiag {

/// Mount points. Tests replace them with directories of recorded files.
struct KernelPaths {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
};

}  // namespace inetdiag
