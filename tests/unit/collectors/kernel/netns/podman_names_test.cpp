#include "collectors/kernel/netns/podman_names.h"

#include <string>

#include <gtest/gtest.h>

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

TEST(NameInConmonArguments, IsTheNameOfTheContainer) {
  EXPECT_EQ(name_in_conmon_arguments(conmon(id, "web"), id), "web");
  EXPECT_EQ(name_in_conmon_arguments(conmon(other_id, "web"), id), "");
}

TEST(NameInConmonArguments, IsEmptyIfArgumentsAreMissing) {
  for (const std::string& cmdline : {""s, "\0"s, "-c"s, "-n\0web"s, "-c\0"s + id, "-n"s,
                                     "-c\0"s + id + "\0-n"s, std::string(4096, '\0')}) {
    EXPECT_EQ(name_in_conmon_arguments(cmdline, id), "") << cmdline;
  }
}

/// A host with cgroup v2.
struct Host {
  explicit Host(const std::string& directory = "") : unified("fs/cgroup" + directory) {
    sys_tree.write(unified + "/cgroup.controllers", "");
  }
  std::string name_in(const std::string& cgroup) const {
    return podman_container_name(FileTree(proc_tree.root()), FileTree(sys_tree.root()), cgroup, id);
  }

  inetdiag::testing::TemporaryTree proc_tree;
  inetdiag::testing::TemporaryTree sys_tree;
  std::string unified;
};

TEST(PodmanContainerName, IsFoundInTheCgroupOfConmon) {
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

TEST(PodmanContainerName, IsEmptyForOtherContainersAndCgroupV1) {
  const Host host;
  EXPECT_EQ(host.name_in("/machine.slice/libpod-" + id + ".scope"), "");
  EXPECT_EQ(host.name_in("/system.slice/docker-" + id + ".scope"), "");
  EXPECT_EQ(host.name_in(""), "");
  const inetdiag::testing::TemporaryTree empty;
  EXPECT_EQ(podman_container_name(FileTree(empty.root()), FileTree(empty.root()),
                                  "/machine.slice/libpod-" + id + ".scope", id),
            "");
}

}  // namespace
}  // namespace inetdiag::kernel
