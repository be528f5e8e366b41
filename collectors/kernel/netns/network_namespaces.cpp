#include "collectors/kernel/netns/network_namespaces.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

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

bool is_gone(int error) { return error == ENOENT || error == ESRCH; }

/// Nothing for a file that is left behind by a name whose namespace was never pinned, or is pinned
/// in another mount namespace. Throws std::system_error where it cannot be looked at.
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
  if (is_gone(errno)) {
    return std::nullopt;
  }
  throw failure(errno, "cannot look at " + file);
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

PinnedNamespaces pinned_network_namespaces(const std::string& folder) {
  const Directory directory(::opendir(folder.c_str()));
  if (!directory) {
    throw failure(errno, "cannot read " + folder);
  }
  PinnedNamespaces pinned;
  std::vector<NetworkNamespace> links;  // what they lead to may be forbidden to open
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.')) {
      continue;
    }
    const std::string file = std::string(folder).append("/").append(name);
    try {
      if (const auto id = id_if_pinned(file)) {
        (is_symbolic_link(file) ? links : pinned.found)
            .push_back({.id = *id, .name = name, .file = file});
      }
    } catch (const std::system_error& error) {
      pinned.refusals.push_back(error);
    }
  }
  std::ranges::sort(pinned.found, {}, &NetworkNamespace::name);
  std::ranges::sort(links, {}, &NetworkNamespace::name);
  std::ranges::move(links, std::back_inserter(pinned.found));
  return pinned;
}

NetworkNamespace pinned_network_namespace(const std::string& folder, const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw std::invalid_argument("'" + name + "' is no name of a network namespace (ip netns)");
  }
  const std::string file = std::string(folder).append("/").append(name);
  const auto id = id_of(file);
  if (!id) {
    throw failure(errno, "no network namespace " + file);
  }
  return {.id = *id, .name = name, .file = file};
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
    if (const auto id = id_of(file)) {
      found.try_emplace(
          *id,
          NetworkNamespace{.id = *id, .name = {}, .file = std::move(file), .process = *process});
    } else if (!is_gone(errno)) {
      namespaces.has_refused = true;
    }
  }
  for (auto& [id, each] : found) {
    namespaces.found.push_back(std::move(each));
  }
  return namespaces;
}

std::vector<NetworkNamespace> merged(const std::vector<NetworkNamespace>& pinned,
                                     const std::vector<NetworkNamespace>& of_processes) {
  std::map<NamespaceId, NetworkNamespace> by_id;
  for (const NetworkNamespace& each : pinned) {
    by_id.try_emplace(each.id, each);
  }
  for (const NetworkNamespace& each : of_processes) {
    by_id.try_emplace(each.id, each).first->second.process = each.process;
  }
  std::vector<NetworkNamespace> namespaces;
  namespaces.reserve(by_id.size());
  for (auto& [id, each] : by_id) {
    namespaces.push_back(std::move(each));
  }
  return namespaces;
}

void enter_network_namespace(const NetworkNamespace& target) {
  // A pipe of that name would wait for whoever writes to it.
  const UniqueFd fd(::open(target.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int error = is_gone(errno) ? ENOENT : errno;
    throw failure(error, "cannot open " + target.file);
  }
  // The file may be another's by now: a process id or a name that was used again.
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || target.id != NamespaceId{status.st_dev, status.st_ino}) {
    throw failure(ENOENT, target.file + " is another namespace by now");
  }
  if (::setns(fd.get(), CLONE_NEWNET) != 0) {
    throw failure(errno, "cannot enter " + target.file);
  }
}

}  // namespace inetdiag::kernel
