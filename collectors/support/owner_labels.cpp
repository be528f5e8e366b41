#include "collectors/support/owner_labels.h"

#include <exception>
#include <utility>
#include <vector>

namespace inetdiag {

CgroupPathMap find_owners(kernel::CgroupPaths& cache, const ScrapeContext& context,
                          const std::set<kernel::CgroupId>& cgroups, Collection& collection) {
  try {
    return cache.find(context.cgroups, cgroups);
  } catch (const std::exception& error) {
    collection.errors.emplace_back(std::string("cannot read owners: ") + error.what());
    return {};
  }
}

std::string missing_owners(std::string_view sockets) {
  return std::string("owners of ").append(sockets).append(" (INET_DIAG_CGROUP_ID needs Linux 5.8)");
}

Labels owner_labels(const std::set<kernel::CgroupId>& cgroups, const CgroupPathMap& paths,
                    const ScrapeContext& context, Collection& collection) {
  std::map<std::string, std::set<std::string>> values;
  std::set<kernel::PodName> pods;
  const auto add = [&](const char* label, const std::string& value) {
    if (!value.empty()) {
      values[label].insert(value);
    }
  };
  for (const kernel::CgroupId id : cgroups) {
    if (const auto path = paths.find(id); path != paths.end()) {
      const kernel::CgroupOwner owner = kernel::owner_of_cgroup(path->second);
      add("cgroup", path->second);
      add("unit", owner.unit);
      add("machine", owner.machine);
      add("pod_uid", owner.pod_uid);
      add("container_id", owner.container_id);
      if (owner.pod_uid.empty()) {
        add("container_name",
            context.pods.podman_container(context.proc.tree(), context.cgroups.sys(), path->second,
                                          owner.container_id));
        continue;
      }
      const kernel::PodNames::Names& names = context.pods.read(collection.missing);
      if (auto pod = names.pod_of(owner.container_id, owner.pod_uid); !pod.name.empty()) {
        pods.insert(std::move(pod));
      }
      const auto container = names.containers.find(owner.container_id);
      if (container != names.containers.end()) {
        add("container_name", container->second.name);
      }
    }
  }
  Labels labels;
  for (const auto& [label, found] : values) {
    labels.push_back({label, join_values(found)});
  }
  if (!pods.empty()) {
    std::vector<std::string> pod_namespaces;
    std::vector<std::string> pod_names;
    for (const auto& [pod_namespace, name] : pods) {
      pod_namespaces.push_back(pod_namespace);
      pod_names.push_back(name);
    }
    labels.push_back({"pod_namespace", join_values(pod_namespaces)});
    labels.push_back({"pod_name", join_values(pod_names)});
  }
  return labels;
}

}  // namespace inetdiag
