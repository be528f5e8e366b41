#include "collectors/support/owner_labels.h"

#include <exception>

#include "collectors/kernel/netns/podman_names.h"

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

Labels owner_labels(const std::set<kernel::CgroupId>& cgroups, const CgroupPathMap& paths,
                    const ScrapeContext& context, Collection& collection) {
  std::map<std::string, std::set<std::string>> values;
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
            kernel::podman_container_name(context.proc.tree(), context.cgroups.sys(), path->second,
                                          owner.container_id));
        continue;
      }
      const kernel::PodNames::Names& names = context.pods.read(collection.missing);
      const kernel::PodName pod = names.pod_of(owner.container_id, owner.pod_uid);
      add("pod_namespace", pod.pod_namespace);
      add("pod_name", pod.name);
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
  return labels;
}

}  // namespace inetdiag
