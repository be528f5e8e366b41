#pragma once

#include <map>
#include <string>

namespace inetdiag {

struct PodName {
  std::string pod_namespace;
  std::string name;
  bool operator==(const PodName&) const = default;
};

/// The pods of this node by their uids, out of the names that kubelet gives to their folders of
/// logs: `<namespace>_<name>_<uid>`. Empty where there is no such folder, as on a host without
/// kubelet. Throws std::system_error where it cannot be read.
std::map<std::string, PodName> pod_names(const std::string& folder);

}  // namespace inetdiag
