#include "collectors/kernel/proc/file_tree.h"

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace inetdiag::kernel {
namespace {

constexpr std::size_t read_bytes = 1U << 14U;
constexpr std::size_t max_file_bytes = 1U << 22U;

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

std::system_error read_failure(int error, const std::string& path) {
  return {error, std::generic_category(), "cannot read " + path};
}

}  // namespace

std::string FileTree::path(std::string_view relative) const {
  constexpr std::string_view net = "net/";
  std::string path;
  path.reserve(root_.size() + 1 + net_.size() + relative.size());
  path.append(root_).append("/");
  if (relative.starts_with(net)) {
    path.append(net_);
    relative.remove_prefix(net.size());
  }
  return path.append(relative);
}

UniqueFd FileTree::open(std::string_view relative) const {
  const std::string file = path(relative);
  // O_NONBLOCK: a FIFO in place of the file must not block the scrape.
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && !is_absent(errno)) {
    throw read_failure(errno, file);
  }
  return fd;
}

std::optional<std::string> FileTree::read(std::string_view relative) const {
  const UniqueFd fd = open(relative);
  if (!fd) {
    return std::nullopt;
  }
  const auto buffer = std::make_unique_for_overwrite<std::array<char, read_bytes>>();
  const bool is_sysctl = relative.starts_with("sys/");
  std::string text;
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer->data(), buffer->size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    // A sysctl can disappear between open() and read() when its module is unloaded.
    if (n < 0 && is_absent(errno)) {
      return std::nullopt;
    }
    if (n < 0) {
      throw read_failure(errno, path(relative));
    }
    // A short read is not the end of the file: seq_file returns what its own buffer holds.
    if (n == 0) {
      return text;
    }
    text.append(buffer->data(), static_cast<std::size_t>(n));
    // A sysctl is never split (fs/proc/proc_sysctl.c), so a short read is its end. There are many
    // of them in each network namespace.
    if (is_sysctl && static_cast<std::size_t>(n) < buffer->size()) {
      return text;
    }
    if (text.size() > max_file_bytes) {
      throw read_failure(EFBIG, path(relative));
    }
  }
}

}  // namespace inetdiag::kernel
