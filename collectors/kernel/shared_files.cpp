#include "collectors/kernel/shared_files.h"

namespace inetdiag::kernel {

SharedFiles::File& SharedFiles::file(std::string_view relative) {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(relative);
  return found != files_.end() ? found->second : files_[std::string(relative)];
}

std::optional<std::string_view> SharedFiles::read(std::string_view relative) {
  return file(relative).get(deadline_, [&] { return tree_.read(relative); });
}

}  // namespace inetdiag::kernel
