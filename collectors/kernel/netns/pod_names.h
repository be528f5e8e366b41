// Names of the pods and containers of this node, without the API server or the container runtime:
// from the log directories of kubelet (pkg/kubelet/kuberuntime/helpers.go, legacy.go).
#pragma once

#include <compare>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/memoized.h"
#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

struct KubeletLogs {
  std::string pods = "/var/log/pods";              ///< of `<namespace>_<pod>_<uid>`
  std::string containers = "/var/log/containers";  ///< of `<pod>_<namespace>_<container>-<id>.log`
};

struct PodName {
  std::string pod_namespace;
  std::string name;
  auto operator<=>(const PodName&) const = default;
};

/// Returns the pods by UID. Empty if `directory` does not exist, as on a host without kubelet.
/// Throws std::system_error if it cannot be read.
std::map<std::string, PodName> read_pod_names(const std::string& directory);

struct ContainerName {
  PodName pod;
  std::string name;
  bool operator==(const ContainerName&) const = default;
};

/// Returns the containers by ID. Like read_pod_names().
std::map<std::string, ContainerName> read_container_names(const std::string& directory);

/// The names in one scrape. The first call of read() reads the directories; all network namespaces
/// share the result.
class PodNames {
 public:
  struct Names {
    std::map<std::string, PodName> pods;              ///< by UID
    std::map<std::string, ContainerName> containers;  ///< by ID

    /// Returns the pod of the container, or else the pod with this UID; empty names if neither is
    /// known. Some kubelets create the directory of pods with mode 0750.
    PodName pod_of(const std::string& container_id, const std::string& uid) const;
  };

  PodNames(KubeletLogs logs, const Deadline& deadline)
      : logs_(std::move(logs)), deadline_(deadline) {}

  /// The first call adds to `missing` what cannot be read. Throws DeadlineExceeded.
  const Names& read(std::vector<std::string>& missing);

  /// Returns the name of a container of Podman; empty if it is unknown. Reads the processes of each
  /// cgroup once. Throws DeadlineExceeded.
  std::string podman_container(const FileTree& proc, const FileTree& sys, std::string_view cgroup,
                               const std::string& id);

 private:
  KubeletLogs logs_;
  const Deadline& deadline_;
  Memoized<Names> names_;
  std::mutex podman_mutex_;
  std::map<std::string, std::map<std::string, std::string>>
      podman_;  ///< by cgroup of conmon and ID
};

}  // namespace inetdiag::kernel
