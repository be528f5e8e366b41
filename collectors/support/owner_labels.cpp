#include "collectors/support/owner_labels.h"

#include <cstddef>
#include <exception>
#include <vector>

namespace inetdiag {
namespace {

constexpr std::size_t max_joined = 10;

}  // namespace

std::string join_values(std::span<const std::string> values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text.append(i == 0 ? "" : ",");
    if (i == max_joined) {
      return text.append("...");
    }
    text.append(values[i]);
  }
  return text;
}

CgroupPathMap find_owners(kernel::CgroupPaths& cache, const ScrapeContext& context,
                          const std::set<kernel::CgroupId>& cgroups, Collection& collection) {
  try {
    return cache.find(context.cgroups, cgroups);
  } catch (const std::exception& error) {
    collection.errors.emplace_back(std::string("cannot read owners: ") + error.what());
    return {};
  }
}

Labels cgroup_labels(const std::set<kernel::CgroupId>& cgroups, const CgroupPathMap& paths) {
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
      add("pod_uid", owner.pod_uid);
      add("container_id", owner.container_id);
    }
  }
  Labels labels;
  for (const auto& [label, found] : values) {
    labels.push_back({label, join_values(std::vector(found.begin(), found.end()))});
  }
  return labels;
}

}  // namespace inetdiag
