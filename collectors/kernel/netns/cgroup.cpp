#include "collectors/kernel/netns/cgroup.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <vector>

#include <unistd.h>

#include "collectors/kernel/base/directory.h"
#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

constexpr std::size_t container_id_digits = 64;
constexpr CgroupId root_id = 1;
// Bounds the walk if the tree is not cgroupfs.
constexpr std::size_t max_cgroup_depth = 64;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Returns the ID in `docker-<id>.scope`, `cri-containerd-<id>.scope`, `crio-<id>.scope`,
/// `libpod-<id>.scope`, or the bare `<id>` of the cgroupfs driver; else an empty string.
std::string_view container_id_in(std::string_view component) {
  if (component.ends_with(".scope")) {
    component.remove_suffix(std::string_view(".scope").size());
  }
  const std::size_t prefix = component.rfind('-');
  const std::string_view id =
      prefix == std::string_view::npos ? component : component.substr(prefix + 1);
  return id.size() == container_id_digits && is_hex(id) ? id : std::string_view();
}

/// Returns the UID in `pod<uid>` or `kubepods-burstable-pod<uid with underscores>.slice`, else an
/// empty string. The UID of a static pod is a hash without hyphens.
std::string pod_uid_in(std::string_view component) {
  if (component.ends_with(".slice")) {
    component.remove_suffix(std::string_view(".slice").size());
  }
  if (!component.starts_with("pod")) {
    const std::size_t pod = component.rfind("-pod");
    if (pod == std::string_view::npos) {
      return {};
    }
    component.remove_prefix(pod + 1);
  }
  component.remove_prefix(std::string_view("pod").size());
  std::string uid(component);
  std::ranges::replace(uid, '_', '-');
  std::string digits = uid;
  std::erase(digits, '-');
  constexpr std::size_t uid_digits = 32;
  return digits.size() == uid_digits && is_hex(digits) ? uid : std::string();
}

bool is_unit(std::string_view component) {
  return component.ends_with(".service") || component.ends_with(".scope");
}

/// Decodes the `\xNN` escapes of systemd-escape(1). A `-`, the escape of a slash, is kept: names of
/// machines contain no slash.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    constexpr std::size_t length = 4;  // \x2d
    const auto code = text.starts_with("\\x") && text.size() >= length
                          ? hex_number(text.substr(2, length - 2))
                          : std::nullopt;
    plain.push_back(code ? static_cast<char>(*code) : text.front());
    text.remove_prefix(code ? length : 1);
  }
  return plain;
}

/// Returns what is between the prefix and the suffix, else an empty string.
std::string_view between(std::string_view text, std::string_view prefix, std::string_view suffix) {
  const std::size_t affixes = prefix.size() + suffix.size();
  return text.size() > affixes && text.starts_with(prefix) && text.ends_with(suffix)
             ? text.substr(prefix.size(), text.size() - affixes)
             : std::string_view();
}

/// Returns the name in `machine-<name>.scope` and `systemd-nspawn@<name>.service` of machine.slice
/// (systemd-machined.service(8)), in `lxc.payload.<name>`, and in the older `lxc/<name>`; else an
/// empty string.
std::string machine_in(std::string_view parent, std::string_view component) {
  if (parent == "machine.slice") {
    const auto scope = between(component, "machine-", ".scope");
    return unescaped(scope.empty() ? between(component, "systemd-nspawn@", ".service") : scope);
  }
  return std::string(parent == "lxc" ? component : between(component, "lxc.payload.", ""));
}

std::string find_mount_point(const FileTree& sys) {
  const auto hierarchy = unified_hierarchy(sys);
  return !hierarchy           ? std::string()
         : hierarchy->empty() ? sys.path("fs/cgroup")
                              : sys.path("fs/cgroup/" + std::string(*hierarchy));
}

}  // namespace

std::optional<std::string_view> unified_hierarchy(const FileTree& sys) {
  // Only a cgroup v2 root has cgroup.controllers. The hybrid layout mounts it at unified.
  for (const std::string_view hierarchy : {"", "unified"}) {
    const std::string mount = sys.path("fs/cgroup/" + std::string(hierarchy));
    if (::access((mount + "/cgroup.controllers").c_str(), F_OK) == 0) {
      return hierarchy;
    }
  }
  return std::nullopt;
}

CgroupOwner owner_of_cgroup(std::string_view path) {
  CgroupOwner owner;
  std::string_view parent;
  for (std::string_view component; !path.empty(); parent = component) {
    component = cut(path, '/');
    if (auto machine = machine_in(parent, component); !machine.empty()) {
      owner = {.machine = std::move(machine)};
    } else if (const auto id = container_id_in(component); !id.empty()) {
      owner.container_id = id;
      // Only Podman's --cgroups=split creates the cgroup below the unit that owns the container.
      if (!component.starts_with("libpod-payload-")) {
        owner.unit.clear();
      }
    } else if (auto uid = pod_uid_in(component); !uid.empty()) {
      owner.pod_uid = std::move(uid);
    } else if (is_unit(component)) {
      owner.unit = component;
    }
  }
  return owner;
}

CgroupOwner owner_of_process(std::string_view proc_cgroup) {
  while (!proc_cgroup.empty()) {
    std::string_view path = next_line(proc_cgroup);
    cut(path, ':');
    cut(path, ':');
    CgroupOwner owner = owner_of_cgroup(path);
    if (!owner.pod_uid.empty() || !owner.container_id.empty()) {
      return owner;
    }
  }
  return {};
}

const CgroupTree::Walk& CgroupTree::walk() {
  return walk_.get(deadline_, [this] { return walk_directories(); });
}

CgroupTree::Walk CgroupTree::walk_directories() const {
  Walk walk;
  const std::string mount = find_mount_point(sys_);
  walk.is_complete = !mount.empty();
  std::size_t path_bytes = 0;
  std::vector<std::string> pending;
  if (!mount.empty()) {
    pending.emplace_back();
  }
  while (!pending.empty()) {
    deadline_.check();
    const std::string parent = std::move(pending.back());
    pending.pop_back();
    const Directory directory(::opendir((mount + parent).c_str()));
    if (!directory) {
      // Removed since readdir(), or not readable for this user. Other errors may be temporary.
      walk.is_complete = walk.is_complete && (errno == ENOENT || errno == EACCES);
      continue;
    }
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..") {
        continue;
      }
      std::string path = parent;
      path.append("/").append(name);
      path_bytes += path.size();
      if (path_bytes > path_bytes_limit_) {
        throw std::length_error("the paths of all cgroups exceed " +
                                std::to_string(path_bytes_limit_) + " bytes");
      }
      if (entry->d_ino != root_id) {
        walk.paths.emplace(entry->d_ino, path);
      }
      if (static_cast<std::size_t>(std::ranges::count(path, '/')) < max_cgroup_depth) {
        pending.push_back(std::move(path));
      }
    }
  }
  return walk;
}

const std::map<CgroupId, std::string>& CgroupPaths::find(CgroupTree& tree,
                                                         const std::set<CgroupId>& ids) {
  if (std::ranges::includes(known_, ids)) {
    return found_;
  }
  // An earlier walk may have missed a cgroup created since; search for it again in the next scrape.
  const bool is_earlier_walk = tree.was_walked();
  const CgroupTree::Walk& walk = tree.walk();
  known_.clear();
  found_.clear();
  for (const CgroupId id : ids) {
    const auto path = walk.paths.find(id);
    if (path != walk.paths.end()) {
      found_.insert(*path);
    }
    if (path != walk.paths.end() || (walk.is_complete && !is_earlier_walk)) {
      known_.insert(id);
    }
  }
  return found_;
}

}  // namespace inetdiag::kernel
