#include "collectors/kernel/proc/cached_files.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

CachedFiles::File& CachedFiles::file(std::string_view relative) {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(relative);
  return found != files_.end() ? found->second : files_[std::string(relative)];
}

std::optional<std::string_view> CachedFiles::read(std::string_view relative) {
  return file(relative).get(deadline_, [&] { return read_again(relative); });
}

std::optional<double> CachedFiles::read_number(std::string_view relative) {
  const auto text = read(relative);
  return text ? to_double(trimmed(*text)) : std::nullopt;
}

std::optional<std::string> CachedFiles::read_again(std::string_view relative) {
  if (!keep_sysctl_directories_ || !relative.starts_with("sys/")) {
    return tree_.read(relative);
  }
  const std::string_view parent = relative.substr(0, relative.rfind('/'));
  Memoized<UniqueFd>* directory = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    directory = &sysctl_directories_[std::string(parent)];
  }
  return tree_.read(relative,
                    directory->get(deadline_, [&] { return tree_.open_directory(parent); }));
}

}  // namespace inetdiag::kernel
