// Labels that name the owner of a group of sockets, from the cgroups in which they were created.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "collectors/kernel/netns/cgroup.h"
#include "collectors/support/collector.h"
#include "collectors/support/family.h"

namespace inetdiag {

/// Returns `a,b`, or `a,b,...` if there are more than ten values: users can open sockets of one
/// group with many owners.
std::string join_values(std::span<const std::string> values);

using CgroupPathMap = std::map<kernel::CgroupId, std::string>;

/// Returns the paths of the cgroups that exist. If they cannot be read, adds to `errors` and
/// returns none.
CgroupPathMap find_owners(kernel::CgroupPaths& cache, const ScrapeContext& context,
                          const std::set<kernel::CgroupId>& cgroups, Collection& collection);

/// Returns `cgroup`, `unit`, `pod_uid` and `container_id`, as far as they are known. Joins the
/// values of several owners in one label set, because a second series would break joins on the
/// other labels.
Labels cgroup_labels(const std::set<kernel::CgroupId>& cgroups, const CgroupPathMap& paths);

}  // namespace inetdiag
