// Labels that name the owner of a group of sockets, from the cgroups in which they were created.
#pragma once

#include <cstddef>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <string_view>

#include "collectors/kernel/netns/cgroup.h"
#include "collectors/support/collector.h"
#include "collectors/support/family.h"

namespace inetdiag {

/// Ends a joined value that is incomplete.
inline constexpr std::string_view and_more = "...";

/// Returns `a,b`, or `a,b,...` if there are more than ten values: users can open sockets of one
/// group with many owners.
template <std::ranges::input_range Values>
std::string join_values(const Values& values) {
  constexpr std::size_t max_joined = 10;
  std::string text;
  std::size_t joined = 0;
  for (const std::string& value : values) {
    text.append(joined == 0 ? "" : ",");
    if (joined++ == max_joined) {
      return text.append(and_more);
    }
    text.append(value);
  }
  return text;
}

using CgroupPathMap = std::map<kernel::CgroupId, std::string>;

/// Returns the paths of the cgroups that exist. If they cannot be read, adds to `errors` and
/// returns none.
CgroupPathMap find_owners(kernel::CgroupPaths& cache, const ScrapeContext& context,
                          const std::set<kernel::CgroupId>& cgroups, Collection& collection);

/// Returns the missing feature of a kernel that reports the cgroup of none of these sockets.
std::string missing_owners(std::string_view sockets);

/// Returns `cgroup`, the members of kernel::CgroupOwner, `container_name`, `pod_namespace` and
/// `pod_name`, as far as they are known. Joins the values of several owners in one label set,
/// because a second series would break joins on the other labels.
Labels owner_labels(const std::set<kernel::CgroupId>& cgroups, const CgroupPathMap& paths,
                    const ScrapeContext& context, Collection& collection);

}  // namespace inetdiag
