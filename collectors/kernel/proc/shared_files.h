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

/// The files of one scrape: each is read at most once, whoever asks for it, and all see the same
/// text.
class SharedFiles {
 public:
  /// With `keeps_sysctl_folders`, those of sysctls stay open as long as this object lives.
  SharedFiles(const FileTree& tree, const Deadline& deadline, bool keeps_sysctl_folders = false)
      : tree_(tree), deadline_(deadline), keeps_sysctl_folders_(keeps_sysctl_folders) {}

  /// As FileTree::read(), or DeadlineExceeded; the text lives as long as this object.
  std::optional<std::string_view> read(std::string_view relative);

 private:
  using File = Memoized<std::optional<std::string>>;

  File& file(std::string_view relative);
  std::optional<std::string> read_now(std::string_view relative);

  const FileTree& tree_;
  const Deadline& deadline_;
  bool keeps_sysctl_folders_;
  std::mutex mutex_;
  std::map<std::string, File, std::less<>> files_;
  std::map<std::string, Memoized<UniqueFd>, std::less<>> sysctl_folders_;
};

}  // namespace inetdiag::kernel
