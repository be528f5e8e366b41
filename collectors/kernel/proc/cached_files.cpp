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
  return sysctls_ != nullptr && relative.starts_with("sys/") ? sysctls_->read(tree_, relative)
                                                             : tree_.read(relative);
}

}  // namespace inetdiag::kernel
