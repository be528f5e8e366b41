#include "collectors/kernel/netns/podman_names.h"

#include <cstddef>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/proc/process_files.h"

namespace inetdiag::kernel {

std::vector<std::string> conmon_cgroups(std::string_view container_cgroup,
                                        std::string_view container_id) {
  const std::size_t container = container_cgroup.find("/libpod-");
  if (container == std::string_view::npos) {
    return {};
  }
  const std::string parent(container_cgroup.substr(0, container));
  return {parent + "/libpod-conmon-" + std::string(container_id) + ".scope",  // manager systemd
          parent + "/runtime", parent + "/supervisor",                        // --cgroups=split
          parent + "/conmon"};                                                // manager cgroupfs
}

std::map<std::string, std::string> read_conmon_names(const FileTree& proc, const FileTree& sys,
                                                     const std::string& cgroup) {
  constexpr std::size_t max_processes = 256;
  std::map<std::string, std::string> names;
  const auto hierarchy = unified_hierarchy(sys);
  if (!hierarchy) {
    return names;
  }
  const auto processes =
      read_if_possible(sys, "fs/cgroup/" + std::string(*hierarchy) + cgroup + "/cgroup.procs");
  std::string_view rest = processes ? *processes : std::string_view();
  for (std::size_t i = 0; i < max_processes && !rest.empty(); ++i) {
    const std::string process(next_line(rest));
    const auto cmdline = read_if_possible(proc, process + "/cmdline");
    if (auto container = parse_conmon_arguments(cmdline.value_or(""))) {
      names.insert(std::move(*container));
    }
  }
  return names;
}

std::optional<std::pair<std::string, std::string>> parse_conmon_arguments(
    std::string_view cmdline) {
  std::string_view id;
  std::string_view name;
  while (!cmdline.empty()) {
    const std::string_view argument = cut(cmdline, '\0');
    if (argument == "-c") {
      id = cut(cmdline, '\0');
    } else if (argument == "-n") {
      name = cut(cmdline, '\0');
    }
  }
  if (id.empty() || name.empty()) {
    return std::nullopt;
  }
  return std::pair(std::string(id), std::string(name));
}

}  // namespace inetdiag::kernel
