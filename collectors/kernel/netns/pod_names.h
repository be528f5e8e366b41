#pragma once

#include <map>
#include <string>

namespace inetdiag {

struct PodName {
  std::string pod_namespace;
  std::string name;
  bool operator==(const PodName&) const = default;
};

/// Returns the pods of this node by UID, from the log directories of kubelet:
/// `<namespace>_<name>_<uid>`. Empty if `directory` does not exist, as on a host without kubelet.
/// Throws std::system_error if it cannot be read.
std::map<std::string, PodName> read_pod_names(const std::string& directory);

}  // namespace inetdiag
