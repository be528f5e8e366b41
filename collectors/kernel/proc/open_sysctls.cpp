#include "collectors/kernel/proc/open_sysctls.h"

#include <array>
#include <utility>

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace inetdiag::kernel {
namespace {

constexpr std::size_t max_value_bytes = 4096;

/// A file of another file system, such as a bind mount over a sysctl, may be replaced.
bool is_on_procfs(const UniqueFd& file) {
  struct statfs mounted {};
  return ::fstatfs(file.get(), &mounted) == 0 && mounted.f_type == PROC_SUPER_MAGIC;
}

/// Returns nothing if the value is longer, or if the sysctl no longer exists.
std::optional<std::string> read_value(const UniqueFd& file) {
  std::array<char, max_value_bytes> value{};
  const ssize_t n = ::pread(file.get(), value.data(), value.size(), 0);
  return n >= 0 && static_cast<std::size_t>(n) < value.size()
             ? std::optional(std::string(value.data(), static_cast<std::size_t>(n)))
             : std::nullopt;
}

}  // namespace

SysctlDescriptors sysctl_descriptors() {
  constexpr rlim_t enough = 1024;
  constexpr std::size_t own = 64;  // a scrape reads about 40
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < enough) {
    return {};
  }
  return {.own_namespace = own, .other_namespaces = limit.rlim_cur / 4 - own};
}

std::optional<std::string> OpenSysctls::read(const FileTree& proc, std::string_view relative) {
  const std::scoped_lock lock(mutex_);
  auto file = files_.find(relative);
  if (file == files_.end() && files_.size() < max_files_) {
    UniqueFd opened = proc.open(relative);
    if (!opened) {
      return std::nullopt;
    }
    if (is_on_procfs(opened)) {
      file = files_.emplace(relative, std::move(opened)).first;
    }
  }
  if (file != files_.end()) {
    if (auto value = read_value(file->second)) {
      return value;
    }
    files_.erase(file);
  }
  return proc.read(relative);
}

}  // namespace inetdiag::kernel
