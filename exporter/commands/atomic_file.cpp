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

std::system_error failure(const std::string& what) {
  return {errno, std::generic_category(), what};
}

/// What mkostemp(3) puts letters and digits in place of.
constexpr std::string_view place_of_letters = "XXXXXX";

/// How the names of new files beside `path` begin. What follows does not end in .prom, as what the
/// textfile collector reads does.
std::string begin_of_names(const std::filesystem::path& path) {
  return "." + path.filename().string() + ".inetdiag-";
}

/// A new file beside `path` that is gone again unless it takes its place.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& path)
      : path_(path),
        name_(path.parent_path() / begin_of_names(path).append(place_of_letters)),
        fd_(::mkostemp(name_.data(), O_CLOEXEC)) {
    if (!fd_) {
      throw failure("cannot make a file beside " + path_);
    }
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!name_.empty()) {
      ::unlink(name_.c_str());
    }
  }

  /// For the same readers as the file whose place it will take; for all where there is none.
  void write(std::string_view text) const {
    constexpr mode_t readable_by_all = 0644;
    constexpr mode_t permissions = 0777;
    struct stat former {};
    const bool has_former = ::stat(path_.c_str(), &former) == 0;
    if (::fchmod(fd_.get(), has_former ? former.st_mode & permissions : readable_by_all) != 0) {
      throw failure("cannot set the mode of " + name_);
    }
    // Its owner and its group, or just the group, as far as the kernel lets us give it away.
    if (has_former && ::fchown(fd_.get(), former.st_uid, former.st_gid) != 0) {
      constexpr uid_t no_change = ~uid_t{0};
      std::ignore = ::fchown(fd_.get(), no_change, former.st_gid);
    }
    write_all(fd_.get(), text);
  }

  // Without fsync(2): after a crash of the machine the next run writes the file anew, and until
  // then no figure in it would be true.
  void take_its_place() {
    if (::rename(name_.c_str(), path_.c_str()) != 0) {
      throw failure("cannot rename to " + path_);
    }
    name_.clear();
  }

 private:
  std::string path_;
  std::string name_;
  kernel::UniqueFd fd_;
};

/// Removes new files that a program left beside `path` when it was killed. One that is being
/// written is younger.
void remove_leftovers(const std::filesystem::path& path) {
  constexpr std::chrono::hours least_age{1};
  const std::string begin = begin_of_names(path);
  const auto folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;  // who may not read the folder leaves them there
  for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    std::error_code gone;
    const auto written = file->last_write_time(gone);
    if (name.size() == begin.size() + place_of_letters.size() && name.starts_with(begin) &&
        file->symlink_status(gone).type() == std::filesystem::file_type::regular && !gone &&
        written < std::filesystem::file_time_type::clock::now() - least_age) {
      std::filesystem::remove(file->path(), gone);
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
      throw ReaderGone();
    } else if (errno == EAGAIN) {  // who shares the stream may have made it non-blocking
      pollfd writable{fd, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      throw failure("cannot write");
    }
  }
}

void replace_file(const std::string& path, std::string_view text) {
  // What a link leads to is replaced, not the link, and never a device.
  std::filesystem::path target = std::filesystem::weakly_canonical(path);
  while (std::filesystem::is_symlink(target)) {  // to what is not there yet
    target = std::filesystem::weakly_canonical(target.parent_path() /
                                               std::filesystem::read_symlink(target));
  }
  if (std::filesystem::exists(target) && !std::filesystem::is_regular_file(target)) {
    throw std::runtime_error(path + " is no regular file");
  }
  NewFile file(target);
  file.write(text);
  file.take_its_place();
  remove_leftovers(target);
}

}  // namespace inetdiag
