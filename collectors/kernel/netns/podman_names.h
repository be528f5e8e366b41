// Names of Podman's containers, without its API or its database, which only root can read.
#pragma once

#include <string>
#include <string_view>

#include "collectors/kernel/proc/file_tree.h"

namespace inetdiag::kernel {

/// Returns the name that conmon(8), the supervisor of a container, has on its command line. It runs
/// in a cgroup beside that of the container. Empty if it is not found, as in a PID namespace
/// without the host's processes.
std::string podman_container_name(const FileTree& proc, const FileTree& sys,
                                  std::string_view cgroup, std::string_view container_id);

/// Returns the value of `-n` in /proc/PID/cmdline of conmon, if that of `-c` is the ID; else an
/// empty string.
std::string name_in_conmon_arguments(std::string_view cmdline, std::string_view container_id);

}  // namespace inetdiag::kernel
