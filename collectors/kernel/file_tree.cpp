#include "collectors/kernel/file_tree.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "collectors/kernel/unique_fd.h"

namespace inetdiag::kernel {
namespace {

constexpr std::size_t first_read_bytes = 1U << 14U;
constexpr std::size_t largest_file_bytes = 1U << 22U;

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

}  // namespace

std::string FileTree::path(std::string_view relative) const {
  std::string path;
  path.reserve(root_.size() + 1 + relative.size());
  path.append(root_).append("/").append(relative);
  return path;
}

std::optional<std::string_view> FileTree::read(std::string_view relative,
                                               std::string& buffer) const {
  const std::string file = path(relative);
  const auto failure = [&](int error) {
    return std::system_error(error, std::generic_category(), "cannot read " + file);
  };
  // O_NONBLOCK: a FIFO where a kernel file is expected must not hang a scrape.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (is_absent(errno)) {
      return std::nullopt;
    }
    throw failure(errno);
  }
  if (buffer.size() < first_read_bytes) {
    buffer.resize(first_read_bytes);
  }
  std::size_t length = 0;
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer.data() + length, buffer.size() - length);
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      // A sysctl can go away between open and read, with the module that owns it.
      if (is_absent(errno)) {
        return std::nullopt;
      }
      throw failure(errno);
    }
    length += static_cast<std::size_t>(n);
    // seq_file answers with less than was asked for only at its end or at the end of its own
    // buffer, so only an empty read says that the file is over.
    if (n == 0) {
      return std::string_view(buffer.data(), length);
    }
    if (length == buffer.size()) {
      if (length >= largest_file_bytes) {
        throw failure(EFBIG);
      }
      buffer.resize(length * 2);
    }
  }
}

}  // namespace inetdiag::kernel
