#include "collectors/kernel/netns/podman_names.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "collectors/kernel/netns/pod_names.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::kernel {
namespace {

using namespace std::string_literals;

const std::string id(64, 'a');
const std::string other_id(64, 'b');

/// Returns /proc/PID/cmdline as conmon 2.1.6 has it.
std::string conmon(const std::string& container_id, const std::string& name) {
  return "/usr/bin/conmon\0--api-version\0001\0-c\0"s + container_id + "\0-u\0"s + container_id +
         "\0-r\0/usr/bin/runc\0-n\0"s + name + "\0--exit-command-arg\0container\0"s;
}

TEST(ConmonArguments, HaveIdAndName) {
  EXPECT_EQ(parse_conmon_arguments(conmon(id, "web")), std::pair(id, "web"s));
}

TEST(ConmonArguments, AreIncomplete) {
  for (const std::string& cmdline : {""s, "\0"s, "-c"s, "-n\0web"s, "-c\0"s + id, "-n"s,
                                     "-c\0"s + id + "\0-n"s, std::string(4096, '\0')}) {
    EXPECT_EQ(parse_conmon_arguments(cmdline), std::nullopt) << cmdline;
  }
}

/// A host with cgroup v2.
struct Host {
  explicit Host(const std::string& directory = "") : unified("fs/cgroup" + directory) {
    sys_tree.write(unified + "/cgroup.controllers", "");
  }
  std::string name_in(const std::string& cgroup) const {
    const auto deadline = Deadline::in(std::chrono::seconds(10));
    PodNames names({}, deadline);
    return names.podman_container(FileTree(proc_tree.root()), FileTree(sys_tree.root()), cgroup,
                                  id);
  }

  inetdiag::testing::TemporaryTree proc_tree;
  inetdiag::testing::TemporaryTree sys_tree;
  std::string unified;
};

TEST(PodmanContainers, HaveTheNamesThatConmonHas) {
  const std::string scope = "/libpod-" + id + ".scope";
  for (const auto& [supervisor, container] : std::vector<std::pair<std::string, std::string>>{
           {"/machine.slice/libpod-conmon-" + id + ".scope", "/machine.slice" + scope},
           {"/machine.slice/libpod-conmon-" + id + ".scope",
            "/machine.slice" + scope + "/container"},
           {"/system.slice/web.service/runtime", "/system.slice/web.service/libpod-payload-" + id},
           {"/system.slice/web.service/supervisor",
            "/system.slice/web.service/libpod-payload-" + id},
           {"/libpod_parent/conmon", "/libpod_parent/libpod-" + id}}) {
    for (const char* unified : {"", "/unified"}) {
      const Host host(unified);
      host.sys_tree.write(host.unified + supervisor + "/cgroup.procs", "16\n17\n18\n");
      host.proc_tree.write("17/cmdline", conmon(other_id, "db"));
      host.proc_tree.write("18/cmdline", conmon(id, "web"));
      EXPECT_EQ(host.name_in(container), "web") << supervisor;
    }
  }
}

TEST(PodmanContainers, HaveNoNameWithoutConmonOrCgroupV2) {
  const Host host;
  EXPECT_EQ(host.name_in("/machine.slice/libpod-" + id + ".scope"), "");
  EXPECT_EQ(host.name_in("/system.slice/docker-" + id + ".scope"), "");
  EXPECT_EQ(host.name_in(""), "");
  std::filesystem::remove(host.sys_tree.path("fs/cgroup/cgroup.controllers"));
  host.sys_tree.write("fs/cgroup/machine.slice/libpod-conmon-" + id + ".scope/cgroup.procs",
                      "18\n");
  host.proc_tree.write("18/cmdline", conmon(id, "web"));
  EXPECT_EQ(host.name_in("/machine.slice/libpod-" + id + ".scope"), "");
}

TEST(PodmanContainers, ShareOneReadOfACgroup) {
  const Host host;
  const std::string processes = "fs/cgroup/libpod_parent/conmon/cgroup.procs";
  host.sys_tree.write(processes, "17\n18\n");
  host.proc_tree.write("17/cmdline", conmon(other_id, "db"));
  host.proc_tree.write("18/cmdline", conmon(id, "web"));
  const auto deadline = Deadline::in(std::chrono::seconds(10));
  PodNames names({}, deadline);
  const FileTree proc(host.proc_tree.root());
  const FileTree sys(host.sys_tree.root());
  EXPECT_EQ(names.podman_container(proc, sys, "/libpod_parent/libpod-" + id, id), "web");
  std::filesystem::remove(host.sys_tree.path(processes));
  EXPECT_EQ(names.podman_container(proc, sys, "/libpod_parent/libpod-" + other_id, other_id), "db");
}

}  // namespace
}  // namespace inetdiag::kernel
