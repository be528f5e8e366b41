#include "collectors/kernel/proc/shared_files.h"

namespace inetdiag::kernel {

SharedFiles::File& SharedFiles::file(std::string_view relative) {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(relative);
  return found != files_.end() ? found->second : files_[std::string(relative)];
}

std::optional<std::string_view> SharedFiles::read(std::string_view relative) {
  return file(relative).get(deadline_, [&] { return read_now(relative); });
}

std::optional<std::string> SharedFiles::read_now(std::string_view relative) {
  if (!keeps_sysctl_folders_ || !relative.starts_with("sys/")) {
    return tree_.read(relative);
  }
  const std::string_view folder = relative.substr(0, relative.rfind('/'));
  Memoized<UniqueFd>* opened = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    opened = &sysctl_folders_[std::string(folder)];
  }
  return tree_.read(relative, opened->get(deadline_, [&] { return tree_.open_folder(folder); }));
}

}  // namespace inetdiag::kernel
