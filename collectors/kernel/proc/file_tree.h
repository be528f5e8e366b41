#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag::kernel {

/// A procfs or sysfs root, which a container or a test may mount at another path.
class FileTree {
 public:
  explicit FileTree(std::string root) : root_(std::move(root)) {}

  /// Returns this procfs as seen by a thread in another network namespace: `net/` becomes
  /// `thread-self/net/` (proc_thread-self(5)); `sys/net/` always depends on the calling thread.
  FileTree for_this_thread() const {
    FileTree tree(root_);
    tree.net_ = "thread-self/net/";
    return tree;
  }

  std::string path(std::string_view relative) const;

  /// Returns the contents of a file, or nothing if it does not exist in this kernel or namespace
  /// (ENOENT, ENOTDIR). Throws std::system_error with the path on any other error.
  std::optional<std::string> read(std::string_view relative) const;

  /// Opens a file for reading. Returns an empty UniqueFd if it does not exist; throws as read().
  UniqueFd open(std::string_view relative) const;

 private:
  std::string root_;
  std::string net_ = "net/";
};

}  // namespace inetdiag::kernel
