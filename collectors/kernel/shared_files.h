#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/kernel/asked_once.h"
#include "collectors/kernel/deadline.h"
#include "collectors/kernel/file_tree.h"

namespace inetdiag::kernel {

/// The files of one scrape: each is read at most once, whoever asks for it, and all see the same
/// text.
class SharedFiles {
 public:
  SharedFiles(const FileTree& tree, const Deadline& deadline) : tree_(tree), deadline_(deadline) {}

  /// As FileTree::read(), or DeadlineExceeded; the text lives as long as this object.
  std::optional<std::string_view> read(std::string_view relative);

 private:
  using File = AskedOnce<std::optional<std::string>>;

  File& file(std::string_view relative);

  const FileTree& tree_;
  const Deadline& deadline_;
  std::mutex mutex_;
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace inetdiag::kernel
