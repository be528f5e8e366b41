#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/memoized.h"
#include "collectors/kernel/proc/file_tree.h"
#include "collectors/kernel/proc/open_sysctls.h"

namespace inetdiag::kernel {

/// The files of one scrape. Each is read at most once, and all collectors get the same text.
class CachedFiles {
 public:
  /// `sysctls` may be nullptr.
  CachedFiles(const FileTree& tree, const Deadline& deadline, OpenSysctls* sysctls = nullptr)
      : tree_(tree), deadline_(deadline), sysctls_(sysctls) {}

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
  OpenSysctls* const sysctls_;
  std::mutex mutex_;
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace inetdiag::kernel
