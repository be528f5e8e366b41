#include "collectors/kernel/proc/process_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel/base/directory.h"
#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

std::optional<std::string> read_if_possible(const FileTree& tree, const std::string& relative) {
  try {
    return tree.read(relative);
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

std::vector<pid_t> numbered_entries(const FileTree& proc, const std::string& relative,
                                    std::size_t max) {
  std::vector<pid_t> numbers;
  const Directory directory(::opendir(proc.path(relative).c_str()));
  if (!directory) {
    return numbers;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto number = to_number<pid_t>(entry->d_name); number && numbers.size() < max) {
      numbers.push_back(*number);
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

OpenSockets find_open_sockets(const FileTree& proc, pid_t process,
                              const std::set<std::uint64_t>& wanted, std::size_t max_links) {
  OpenSockets sockets;
  const std::string path = proc.path(std::to_string(process) + "/fd");
  const Directory directory(::opendir(path.c_str()));
  if (!directory) {
    sockets.is_hidden = errno != ESRCH;
    return sockets;
  }
  std::size_t links = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    constexpr std::size_t longest_socket_link = 32;
    std::array<char, longest_socket_link> target{};
    if (entry->d_name[0] == '.' || ++links > max_links) {
      continue;
    }
    const ssize_t length =
        ::readlinkat(::dirfd(directory.get()), entry->d_name, target.data(), target.size());
    if (length < 0) {
      // Landlock and security modules deny the links, but not the directory, to some processes.
      sockets.is_hidden = sockets.is_hidden || errno == EACCES;
      continue;
    }
    const auto inode =
        parse_socket_link(std::string_view(target.data(), static_cast<std::size_t>(length)));
    if (inode && wanted.contains(*inode)) {
      sockets.inodes.insert(*inode);
    }
  }
  return sockets;
}

std::optional<std::uint64_t> count_open_files(const FileTree& proc, pid_t process,
                                              std::uint64_t max) {
  const std::string path = proc.path(std::to_string(process) + "/fd");
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  if (status.st_size > 0) {
    return static_cast<std::uint64_t>(status.st_size);
  }
  const Directory directory(::opendir(path.c_str()));
  if (!directory) {
    return std::nullopt;
  }
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    count += entry->d_name[0] == '.' ? 0U : 1U;
    if (count > max) {
      return std::nullopt;
    }
  }
  return count;
}

}  // namespace inetdiag::kernel
