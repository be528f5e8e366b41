// Names of Podman's containers, without its API or its database, which only root can read:
// conmon(8), the supervisor of a container, has ID and name on its command line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

/// Returns the cgroups in which the conmon of a container may be, beside the container's own; none
/// if it is not one of Podman.
std::vector<std::string> conmon_cgroups(std::string_view container_cgroup,
                                        std::string_view container_id);

/// Returns names by ID from the conmon processes of a cgroup v2, of its first 256 processes. Empty
/// if there are none, as in a PID namespace without the host's processes.
std::map<std::string, std::string> read_conmon_names(const FileTree& proc, const FileTree& sys,
                                                     const std::string& cgroup);

/// Returns the values of `-c` and `-n` in /proc/PID/cmdline of conmon: ID and name.
std::optional<std::pair<std::string, std::string>> parse_conmon_arguments(std::string_view cmdline);

}  // namespace inetdiag::kernel
