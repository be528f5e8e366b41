#include "exporter/output.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel/unique_fd.h"

namespace inetdiag {
namespace {

std::system_error failure(const std::string& what) {
  return {errno, std::generic_category(), what};
}

/// A new file beside `path` that is gone again unless it takes its place. Its name ends in six
/// letters: the textfile collector reads what ends in .prom.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& path)
      : path_(path),
        name_(path.parent_path() / ("." + path.filename().string() + ".XXXXXX")),
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

  void write(std::string_view text) const {
    constexpr mode_t readable_by_all = 0644;
    if (::fchmod(fd_.get(), readable_by_all) != 0) {
      throw failure("cannot make " + name_ + " readable");
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
  const std::filesystem::path target = std::filesystem::weakly_canonical(path);
  if (std::filesystem::exists(target) && !std::filesystem::is_regular_file(target)) {
    throw std::runtime_error(path + " is no regular file");
  }
  NewFile file(target);
  file.write(text);
  file.take_its_place();
}

}  // namespace inetdiag
