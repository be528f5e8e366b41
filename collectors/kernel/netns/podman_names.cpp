#include "collectors/kernel/netns/podman_names.h"

#include <cstddef>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netns/cgroup.h"
#include "collectors/kernel/proc/process_files.h"

namespace inetdiag::kernel {
namespace {

// The cgroup `conmon` of the cgroupfs manager has the conmon processes of all containers.
constexpr std::size_t max_processes = 256;

std::string name_in_processes(const FileTree& proc, std::string_view processes,
                              std::string_view container_id) {
  for (std::size_t i = 0; i < max_processes && !processes.empty(); ++i) {
    const std::string process(next_line(processes));
    const auto cmdline = read_if_possible(proc, process + "/cmdline");
    if (auto name = name_in_conmon_arguments(cmdline.value_or(""), container_id); !name.empty()) {
      return name;
    }
  }
  return {};
}

}  // namespace

std::string name_in_conmon_arguments(std::string_view cmdline, std::string_view container_id) {
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
  return std::string(id == container_id ? name : std::string_view());
}

std::string podman_container_name(const FileTree& proc, const FileTree& sys,
                                  std::string_view cgroup, std::string_view container_id) {
  const auto hierarchy = unified_hierarchy(sys);
  const std::size_t container = cgroup.find("/libpod-");
  if (!hierarchy || container == std::string_view::npos) {
    return {};
  }
  const std::string parent =
      "fs/cgroup/" + std::string(*hierarchy) + std::string(cgroup.substr(0, container)) + "/";
  // The systemd manager, --cgroups=split of newer and older releases, the cgroupfs manager.
  for (const std::string& sibling :
       {"libpod-conmon-" + std::string(container_id) + ".scope", std::string("runtime"),
        std::string("supervisor"), std::string("conmon")}) {
    const auto processes = read_if_possible(sys, parent + sibling + "/cgroup.procs");
    if (auto name = name_in_processes(proc, processes.value_or(""), container_id); !name.empty()) {
      return name;
    }
  }
  return {};
}

}  // namespace inetdiag::kernel
