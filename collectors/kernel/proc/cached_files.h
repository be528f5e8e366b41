#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/memoized.h"
#include "collectors/kernel/base/unique_fd.h"
#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

/// The files of one scrape. Each is read at most once, and all collectors get the same text.
class CachedFiles {
 public:
  /// With `keep_sysctl_directories`, each directory of sysctls is opened once: this saves path
  /// lookups at the cost of one file descriptor per directory.
  CachedFiles(const FileTree& tree, const Deadline& deadline, bool keep_sysctl_directories = false)
      : tree_(tree), deadline_(deadline), keep_sysctl_directories_(keep_sysctl_directories) {}

  /// Returns the text of a file, valid as long as this object. Throws as FileTree::read(), and
  /// DeadlineExceeded.
  std::optional<std::string_view> read(std::string_view relative);

  /// Returns the number that is the only word of a file, such as a sysctl; nothing if it is not
  /// one. Throws as read().
  std::optional<double> read_number(std::string_view relative);

  /// Returns the text of a file as it is now. Throws as FileTree::read().
  std::optional<std::string> read_again(std::string_view relative);

  /// For files of which every scrape reads different ones, and for directories.
  const FileTree& tree() const { return tree_; }

 private:
  using File = Memoized<std::optional<std::string>>;

  File& file(std::string_view relative);
  const FileTree& tree_;
  const Deadline& deadline_;
  bool keep_sysctl_directories_;
  std::mutex mutex_;
  std::map<std::string, File, std::less<>> files_;
  std::map<std::string, Memoized<UniqueFd>, std::less<>> sysctl_directories_;
};

}  // namespace inetdiag::kernel
