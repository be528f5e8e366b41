#pragma once

#include <string>

namespace inetdiag {

/// Mount points, which tests replace by directories of recorded files.
struct KernelPaths {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
};

}  // namespace inetdiag
