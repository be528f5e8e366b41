#include "exporter/commands/atomic_file.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"

namespace inetdiag {
namespace {

std::system_error system_error(const std::string& message) {
  return {errno, std::generic_category(), message};
}

constexpr std::string_view mkostemp_suffix = "XXXXXX";

/// Returns the prefix of the names of temporary files for `path`. node_exporter's textfile
/// collector ignores these files, because they do not end in .prom.
std::string temporary_prefix(const std::filesystem::path& path) {
  return "." + path.filename().string() + ".inetdiag-";
}

/// A temporary file in the directory of `path`. The destructor deletes it unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& path)
      : path_(path),
        name_(path.parent_path() / temporary_prefix(path).append(mkostemp_suffix)),
        fd_(::mkostemp(name_.data(), O_CLOEXEC)) {
    if (!fd_) {
      throw system_error("cannot create a temporary file for " + path_);
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!name_.empty()) {
      ::unlink(name_.c_str());
    }
  }

  /// Gives the file the mode and owner of the one it replaces, by default 0644.
  void write(std::string_view text) const {
    constexpr mode_t default_mode = 0644;
    constexpr mode_t mode_mask = 0777;
    struct stat replaced {};
    const bool is_replacement = ::stat(path_.c_str(), &replaced) == 0;
    if (::fchmod(fd_.get(), is_replacement ? replaced.st_mode & mode_mask : default_mode) != 0) {
      throw system_error("cannot set the mode of " + name_);
    }
    // Only root may change the owner; other users may set a group that they belong to.
    if (is_replacement && ::fchown(fd_.get(), replaced.st_uid, replaced.st_gid) != 0) {
      constexpr uid_t no_change = ~uid_t{0};
      std::ignore = ::fchown(fd_.get(), no_change, replaced.st_gid);
    }
    write_all(fd_.get(), text);
  }

  // No fsync(2): after a crash of the machine the metrics are outdated, and the next run replaces
  // the file.
  void rename_to_path() {
    if (::rename(name_.c_str(), path_.c_str()) != 0) {
      throw system_error("cannot rename to " + path_);
    }
    name_.clear();
  }

 private:
  std::string path_;
  std::string name_;
  kernel::UniqueFd fd_;
};

/// Removes the temporary files that killed processes left for `path`: those too old to be in use.
void remove_stale_files(const std::filesystem::path& path) {
  constexpr std::chrono::hours min_age{1};
  const std::string prefix = temporary_prefix(path);
  const auto directory = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;  // a directory that cannot be read keeps its stale files
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    std::error_code file_error;
    const auto written = file->last_write_time(file_error);
    if (name.size() == prefix.size() + mkostemp_suffix.size() && name.starts_with(prefix) &&
        file->symlink_status(file_error).type() == std::filesystem::file_type::regular &&
        !file_error && written < std::filesystem::file_time_type::clock::now() - min_age) {
      std::filesystem::remove(file->path(), file_error);
    }
  }
}

}  // namespace

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      throw BrokenPipe();
    } else if (errno == EAGAIN) {  // another process that shares the stream may have set O_NONBLOCK
      pollfd writable{fd, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      throw system_error("cannot write output");
    }
  }
}

void replace_file(const std::string& path, std::string_view text) {
  std::filesystem::path target = std::filesystem::weakly_canonical(path);
  while (std::filesystem::is_symlink(target)) {  // weakly_canonical() keeps dangling links
    target = std::filesystem::weakly_canonical(target.parent_path() /
                                               std::filesystem::read_symlink(target));
  }
  if (std::filesystem::exists(target) && !std::filesystem::is_regular_file(target)) {
    throw std::runtime_error(path + " is not a regular file");
  }
  TemporaryFile file(target);
  file.write(text);
  file.rename_to_path();
  remove_stale_files(target);
}

}  // namespace inetdiag
