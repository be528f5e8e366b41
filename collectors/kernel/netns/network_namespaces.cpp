#include "collectors/kernel/netns/network_namespaces.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "collectors/kernel/base/directory.h"
#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

std::system_error failure(int error, const std::string& what) {
  return {error, std::generic_category(), what};
}

std::optional<NamespaceId> id_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return NamespaceId{status.st_dev, status.st_ino};
}

/// Sets errno if it returns nothing. Linux 5.10.262 resolves the link of a process that may not be
/// accessed to the directory of the link, instead of failing with EACCES.
std::optional<NamespaceId> id_of_process(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    errno = EACCES;
    return std::nullopt;
  }
  return NamespaceId{status.st_dev, status.st_ino};
}

bool no_longer_exists(int error) { return error == ENOENT || error == ESRCH; }

/// Returns nothing for an ordinary file: a leftover of ip-netns(8), or a namespace that is mounted
/// only in another mount namespace. Throws std::system_error.
std::optional<NamespaceId> id_if_pinned(const std::string& file) {
  struct statfs filesystem {};
  if (::statfs(file.c_str(), &filesystem) == 0) {
    if (filesystem.f_type != NSFS_MAGIC) {
      return std::nullopt;
    }
    if (const auto id = id_of(file)) {
      return id;
    }
  }
  if (no_longer_exists(errno)) {
    return std::nullopt;
  }
  throw failure(errno, "cannot stat " + file);
}

bool is_symbolic_link(const std::string& file) {
  struct stat status {};
  return ::lstat(file.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

NamespaceId own_network_namespace() {
  const auto id = id_of("/proc/thread-self/ns/net");
  if (!id) {
    throw failure(errno, "cannot read /proc/thread-self/ns/net");
  }
  return *id;
}

PinnedNamespaces pinned_network_namespaces(const std::string& directory_path) {
  const Directory directory(::opendir(directory_path.c_str()));
  if (!directory) {
    throw failure(errno, "cannot read " + directory_path);
  }
  PinnedNamespaces pinned;
  // Symbolic links come last, because the sandbox may deny access to their targets.
  std::vector<NetworkNamespace> links;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.')) {
      continue;
    }
    const std::string file = std::string(directory_path).append("/").append(name);
    try {
      if (const auto id = id_if_pinned(file)) {
        (is_symbolic_link(file) ? links : pinned.found)
            .push_back({.id = *id, .name = name, .file = file});
      }
    } catch (const std::system_error& error) {
      pinned.errors.push_back(error);
    }
  }
  std::ranges::sort(pinned.found, {}, &NetworkNamespace::name);
  std::ranges::sort(links, {}, &NetworkNamespace::name);
  std::ranges::move(links, std::back_inserter(pinned.found));
  return pinned;
}

NetworkNamespace pinned_network_namespace(const std::vector<std::string>& directories,
                                          const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw std::invalid_argument("invalid network namespace '" + name +
                                "', expected a name of ip netns");
  }
  std::string searched;
  int error = ENOENT;
  for (const std::string& directory : directories) {
    const std::string file = std::string(directory).append("/").append(name);
    if (const auto id = id_of(file)) {
      return {.id = *id, .name = name, .file = file};
    }
    error = no_longer_exists(errno) ? error : errno;
    searched.append(searched.empty() ? "" : " or ").append(directory);
  }
  throw failure(error, "cannot find network namespace '" + name + "' in " + searched);
}

NetworkNamespace network_namespace_at(const std::string& file) {
  const auto id = id_of(file);
  if (!id) {
    throw failure(errno, "cannot find network namespace " + file);
  }
  return {.id = *id, .name = {}, .file = file};
}

ProcessNamespaces process_network_namespaces(const FileTree& proc, const Deadline& deadline) {
  const std::string root = proc.path("");
  const Directory directory(::opendir(root.c_str()));
  if (!directory) {
    throw failure(errno, "cannot read " + root);
  }
  std::map<NamespaceId, NetworkNamespace> found;
  ProcessNamespaces namespaces;
  while (const dirent* entry = ::readdir(directory.get())) {
    const auto process = to_number<pid_t>(entry->d_name);
    if (!process) {
      continue;
    }
    deadline.check();
    std::string file = proc.path(std::string(entry->d_name) + "/ns/net");
    if (const auto id = id_of_process(file)) {
      found.try_emplace(
          *id,
          NetworkNamespace{.id = *id, .name = {}, .file = std::move(file), .process = *process});
    } else if (!no_longer_exists(errno)) {
      namespaces.denied.insert(*process);
    }
  }
  for (auto& [id, each] : found) {
    namespaces.found.push_back(std::move(each));
  }
  return namespaces;
}

std::vector<NetworkNamespace> merge_namespaces(const std::vector<NetworkNamespace>& pinned,
                                               const std::vector<NetworkNamespace>& of_processes) {
  std::vector<NetworkNamespace> namespaces;
  std::map<NamespaceId, std::size_t> position;
  for (const auto* list : {&pinned, &of_processes}) {
    for (const NetworkNamespace& each : *list) {
      const auto [found, is_new] = position.try_emplace(each.id, namespaces.size());
      if (is_new) {
        namespaces.push_back(each);
      } else if (each.process != 0) {
        namespaces[found->second].process = each.process;
      }
    }
  }
  return namespaces;
}

std::optional<std::chrono::system_clock::time_point> inode_created(const NetworkNamespace& netns) {
  struct stat status {};
  if (::stat(netns.file.c_str(), &status) != 0 ||
      netns.id != NamespaceId{status.st_dev, status.st_ino}) {
    return std::nullopt;
  }
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  using std::chrono::system_clock;
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
      seconds(status.st_ctim.tv_sec) + nanoseconds(status.st_ctim.tv_nsec)));
}

void enter_network_namespace(const NetworkNamespace& target) {
  // O_NONBLOCK: do not wait for the writer of a FIFO.
  const UniqueFd fd(::open(target.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int error = no_longer_exists(errno) ? ENOENT : errno;
    throw failure(error, "cannot open " + target.file);
  }
  // The process ID or the name may have been reused since.
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || target.id != NamespaceId{status.st_dev, status.st_ino}) {
    throw failure(ENOENT, target.file + " is no longer the same network namespace");
  }
  if (::setns(fd.get(), CLONE_NEWNET) != 0) {
    throw failure(errno, "cannot enter network namespace " + target.file);
  }
}

}  // namespace inetdiag::kernel
