#include "collectors/kernel/netns/cgroup.h"

#include <chrono>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::CgroupId;
using kernel::CgroupOwner;
using kernel::CgroupPaths;
using kernel::CgroupTree;
using kernel::owner_of_cgroup;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::string container(64, 'a');
const std::string uid = "0a1b2c3d-0000-1111-2222-0123456789ab";

TEST(CgroupOwner, ParsesSystemdUnits) {
  EXPECT_EQ(owner_of_cgroup("/system.slice/nginx.service"), (CgroupOwner{.unit = "nginx.service"}));
  EXPECT_EQ(owner_of_cgroup("/system.slice/system-postgresql.slice/postgresql@15-main.service"),
            (CgroupOwner{.unit = "postgresql@15-main.service"}));
  EXPECT_EQ(owner_of_cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice/dev.service"),
            (CgroupOwner{.unit = "dev.service"}));
  EXPECT_EQ(owner_of_cgroup("/system.slice/a.service/payload"), (CgroupOwner{.unit = "a.service"}));
  EXPECT_EQ(owner_of_cgroup("/init.scope"), (CgroupOwner{.unit = "init.scope"}));
}

TEST(CgroupOwner, ParsesPodsOfTheSystemdDriver) {
  const std::string slice =
      "/kubepods.slice/kubepods-burstable.slice/"
      "kubepods-burstable-pod0a1b2c3d_0000_1111_2222_0123456789ab.slice/";
  const CgroupOwner owner{.pod_uid = uid, .container_id = container};
  EXPECT_EQ(owner_of_cgroup(slice + "cri-containerd-" + container + ".scope"), owner);
  EXPECT_EQ(owner_of_cgroup(slice + "crio-" + container + ".scope"), owner);
  EXPECT_EQ(owner_of_cgroup(slice + "crio-" + container + ".scope/container"), owner);
}

TEST(CgroupOwner, ParsesPodsOfTheCgroupfsDriver) {
  EXPECT_EQ(owner_of_cgroup("/kubepods/besteffort/pod" + uid + "/" + container),
            (CgroupOwner{.pod_uid = uid, .container_id = container}));
  EXPECT_EQ(owner_of_cgroup("/kubepods/pod" + uid + "/" + container),
            (CgroupOwner{.pod_uid = uid, .container_id = container}));
}

TEST(CgroupOwner, ParsesStaticPods) {
  const std::string hash(32, 'f');
  EXPECT_EQ(owner_of_cgroup("/kubepods/burstable/pod" + hash).pod_uid, hash);
}

TEST(CgroupOwner, ParsesDockerAndPodman) {
  const CgroupOwner owner{.container_id = container};
  EXPECT_EQ(owner_of_cgroup("/system.slice/docker-" + container + ".scope"), owner);
  EXPECT_EQ(owner_of_cgroup("/docker/" + container), owner);
  EXPECT_EQ(owner_of_cgroup("/machine.slice/libpod-" + container + ".scope"), owner);
}

TEST(CgroupOwner, ParsesUnitsInsideContainers) {
  EXPECT_EQ(owner_of_cgroup("/docker/" + container + "/system.slice/nginx.service"),
            (CgroupOwner{.unit = "nginx.service", .container_id = container}));
}

TEST(CgroupOwner, ParsesServicesOfPodman) {
  EXPECT_EQ(owner_of_cgroup("/system.slice/web.service/libpod-payload-" + container),
            (CgroupOwner{.unit = "web.service", .container_id = container}));
  EXPECT_EQ(owner_of_cgroup("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" +
                            container + ".scope/container"),
            (CgroupOwner{.container_id = container}));
}

TEST(CgroupOwner, ParsesUnitsInsideMachines) {
  const CgroupOwner owner{.machine = "web-1", .unit = "nginx.service"};
  for (const char* machine :
       {"/machine.slice/systemd-nspawn@web\\x2d1.service/payload",
        "/machine.slice/systemd-nspawn@web-1.service/payload",
        "/machine.slice/machine-web\\x2d1.scope/payload", "/lxc.payload.web-1", "/lxc/web-1"}) {
    EXPECT_EQ(owner_of_cgroup(std::string(machine) + "/system.slice/nginx.service"), owner)
        << machine;
  }
}

TEST(CgroupOwner, HasNoUnitOfTheHostInAMachine) {
  const CgroupOwner owner{.machine = "c1"};
  EXPECT_EQ(owner_of_cgroup("/machine.slice/systemd-nspawn@c1.service/payload"), owner);
  EXPECT_EQ(owner_of_cgroup("/user.slice/user-1000.slice/user@1000.service/lxc.payload.c1"), owner);
}

TEST(CgroupOwner, HasNoUnitAroundAContainer) {
  EXPECT_EQ(owner_of_cgroup("/machine.slice/machine-web.scope/payload/docker/" + container),
            (CgroupOwner{.machine = "web", .container_id = container}));
  EXPECT_EQ(owner_of_cgroup("/system.slice/k3s.service/kubepods/pod" + uid + "/" + container),
            (CgroupOwner{.pod_uid = uid, .container_id = container}));
}

TEST(CgroupOwner, ParsesVirtualMachines) {
  EXPECT_EQ(owner_of_cgroup("/machine.slice/machine-qemu\\x2d3\\x2ddb.scope/libvirt/emulator"),
            (CgroupOwner{.machine = "qemu-3-db"}));
}

TEST(CgroupOwner, KeepsWhatIsNotAnEscape) {
  for (const auto& [name, machine] :
       std::map<std::string, std::string>{{"a\\x2", "a\\x2"}, {"a\\xzz", "a\\xzz"}, {"\\", "\\"}}) {
    EXPECT_EQ(owner_of_cgroup("/machine.slice/machine-" + name + ".scope").machine, machine);
  }
}

TEST(CgroupOwner, IgnoresOtherPaths) {
  for (const auto* path :
       {"", "/", "//", "/a/b", "/podman", "/kubepods/pod", "/pod123/x.slice", "/docker/abc",
        "/-pod.slice", "/machine.slice/machine-", "/lxc.payload."}) {
    EXPECT_EQ(owner_of_cgroup(path), CgroupOwner()) << path;
  }
}

CgroupId inode(const std::filesystem::path& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return status.st_ino;
}

/// One scrape of a directory tree.
struct Scrape {
  explicit Scrape(const testing::TemporaryTree& tree) : sys(tree.root()) {}

  kernel::FileTree sys;
  kernel::Deadline deadline = kernel::Deadline::in(std::chrono::seconds(10));
  CgroupTree cgroups{sys, deadline};
};

std::map<CgroupId, std::string> found(CgroupPaths& paths, const testing::TemporaryTree& tree,
                                      const std::set<CgroupId>& ids) {
  Scrape scrape(tree);
  return paths.find(scrape.cgroups, ids);
}

std::map<CgroupId, std::string> found(const testing::TemporaryTree& tree,
                                      const std::set<CgroupId>& ids) {
  CgroupPaths paths;
  return found(paths, tree, ids);
}

TEST(CgroupPaths, FindsDirectoriesByInode) {
  const testing::TemporaryTree tree;
  tree.write("fs/cgroup/cgroup.controllers", "");
  const auto service = inode(tree.make_directory("fs/cgroup/system.slice/a.service"));
  const auto slice = inode(tree.path("fs/cgroup/system.slice"));
  EXPECT_THAT(
      found(tree, {service, slice, 1}),
      UnorderedElementsAre(Pair(service, "/system.slice/a.service"), Pair(slice, "/system.slice")));
}

TEST(CgroupPaths, SupportsTheHybridLayout) {
  const testing::TemporaryTree tree;
  tree.write("fs/cgroup/unified/cgroup.controllers", "");
  const auto service = inode(tree.make_directory("fs/cgroup/unified/a.service"));
  EXPECT_THAT(found(tree, {service}), UnorderedElementsAre(Pair(service, "/a.service")));
}

TEST(CgroupPaths, IsEmptyOnCgroupV1) {
  const testing::TemporaryTree tree;
  const auto service = inode(tree.make_directory("fs/cgroup/memory/a.service"));
  EXPECT_THAT(found(tree, {service}), IsEmpty());
}

TEST(CgroupPaths, WalksAgainOnlyForNewIds) {
  const testing::TemporaryTree tree;
  tree.write("fs/cgroup/cgroup.controllers", "");
  const auto first = inode(tree.make_directory("fs/cgroup/first"));
  CgroupPaths paths;
  found(paths, tree, {first, 999'999'999});
  std::filesystem::remove(tree.path("fs/cgroup/first"));
  // From the cache: another walk would not find it.
  EXPECT_THAT(found(paths, tree, {first}), UnorderedElementsAre(Pair(first, "/first")));
  const auto second = inode(tree.make_directory("fs/cgroup/second/deep"));
  EXPECT_THAT(found(paths, tree, {second}), UnorderedElementsAre(Pair(second, "/second/deep")));
}

TEST(CgroupPaths, ShareOneWalkAmongNamespaces) {
  const testing::TemporaryTree tree;
  tree.write("fs/cgroup/cgroup.controllers", "");
  const auto first = inode(tree.make_directory("fs/cgroup/first"));
  Scrape scrape(tree);
  CgroupPaths first_paths;
  first_paths.find(scrape.cgroups, {first});
  const auto second = inode(tree.make_directory("fs/cgroup/second"));
  CgroupPaths second_paths;
  EXPECT_THAT(second_paths.find(scrape.cgroups, {first, second}),
              UnorderedElementsAre(Pair(first, "/first")));
  // The walk was earlier than the second cgroup; the next one finds it.
  EXPECT_THAT(found(second_paths, tree, {first, second}),
              UnorderedElementsAre(Pair(first, "/first"), Pair(second, "/second")));
}

TEST(CgroupPaths, RespectsTheDeadline) {
  const testing::TemporaryTree tree;
  tree.write("fs/cgroup/cgroup.controllers", "");
  Scrape scrape(tree);
  scrape.deadline = kernel::Deadline::in(std::chrono::seconds(0));
  EXPECT_THROW(CgroupPaths().find(scrape.cgroups, {5}), kernel::DeadlineExceeded);
}

TEST(CgroupPaths, AreLimited) {
  const testing::TemporaryTree tree;
  tree.write("fs/cgroup/cgroup.controllers", "");
  tree.make_directory("fs/cgroup/a/b");
  const kernel::FileTree sys(tree.root());
  const kernel::Deadline deadline = kernel::Deadline::in(std::chrono::seconds(10));
  CgroupTree large(sys, deadline, 6);  // "/a" and "/a/b"
  EXPECT_EQ(large.walk().paths.size(), 2U);
  CgroupTree too_large(sys, deadline, 5);
  EXPECT_THROW(too_large.walk(), std::length_error);
}

TEST(OwnerOfProcess, ParsesCgroupV2) {
  EXPECT_EQ(kernel::owner_of_process(
                "0::/kubepods.slice/kubepods-burstable.slice/"
                "kubepods-burstable-pod0a1b2c3d_0000_1111_2222_0123456789ab.slice/cri-containerd-" +
                container + ".scope\n"),
            (CgroupOwner{.pod_uid = uid, .container_id = container}));
}

TEST(OwnerOfProcess, ParsesCgroupV1) {
  EXPECT_EQ(kernel::owner_of_process("12:pids:/kubepods/besteffort/pod" + uid + "/" + container +
                                     "\n3:cpu,cpuacct:/kubepods/besteffort/pod" + uid + "/" +
                                     container + "\n1:name=systemd:/\n"),
            (CgroupOwner{.pod_uid = uid, .container_id = container}));
}

TEST(OwnerOfProcess, ParsesTheHybridLayout) {
  const CgroupOwner owner{.container_id = container};
  EXPECT_EQ(kernel::owner_of_process("4:memory:/docker/" + container + "\n0::/\n"), owner);
  EXPECT_EQ(
      kernel::owner_of_process("4:memory:/\n0::/system.slice/docker-" + container + ".scope\n"),
      owner);
}

TEST(OwnerOfProcess, ParsesPathsOutsideTheCgroupNamespace) {
  EXPECT_EQ(kernel::owner_of_process(
                "0::/../../kubepods-pod0a1b2c3d_0000_1111_2222_0123456789ab.slice/crio-" +
                container + ".scope"),
            (CgroupOwner{.pod_uid = uid, .container_id = container}));
}

TEST(OwnerOfProcess, IsEmptyOutsidePodsAndContainers) {
  for (const auto* text :
       {"", "\n", ":", "::", "0::/system.slice/nginx.service\n", "0:/docker", "no colon at all"}) {
    EXPECT_EQ(kernel::owner_of_process(text), CgroupOwner()) << text;
  }
}

}  // namespace
}  // namespace inetdiag
