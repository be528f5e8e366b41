#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace inetdiag::kernel {

/// A tree of kernel files, procfs or sysfs, below a root that a container mount or a test replaces.
class FileTree {
 public:
  explicit FileTree(std::string root) : root_(std::move(root)) {}

  std::string path(std::string_view relative) const;

  /// The whole text of a file. Absent where this kernel or namespace has no such file (ENOENT,
  /// ENOTDIR). Throws std::system_error that names the file where it exists and cannot be read.
  std::optional<std::string> read(std::string_view relative) const;

 private:
  std::string root_;
};

}  // namespace inetdiag::kernel
