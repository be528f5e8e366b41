#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag::kernel {

/// A tree of kernel files, procfs or sysfs, below a root that a container mount or a test replaces.
class FileTree {
 public:
  explicit FileTree(std::string root) : root_(std::move(root)) {}

  /// The same procfs for a thread that entered another network namespace: `net/` is then what that
  /// thread sees (proc_thread-self(5)), and so is `sys/net/` by itself.
  FileTree for_this_thread() const {
    FileTree tree(root_);
    tree.net_ = "thread-self/net/";
    return tree;
  }

  std::string path(std::string_view relative) const;

  /// The whole text of a file. Absent where this kernel or namespace has no such file (ENOENT,
  /// ENOTDIR). Throws std::system_error that names the file where it exists and cannot be read.
  std::optional<std::string> read(std::string_view relative) const;

  /// A folder to read() from; empty where it cannot be opened.
  UniqueFd open_folder(std::string_view relative) const;

  /// As read(), of a file that lies in `folder`, which open_folder() opened, or has no other.
  std::optional<std::string> read(std::string_view relative, const UniqueFd& folder) const;

 private:
  std::string root_;
  std::string net_ = "net/";
};

}  // namespace inetdiag::kernel
