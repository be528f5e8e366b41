#include "collectors/support/owner_labels.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/collected.h"

namespace inetdiag {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

std::string joined_numbers(int count) {
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(std::to_string(i));
  }
  return join_values(values);
}

TEST(OwnerLabels, JoinTenValuesAtMost) {
  EXPECT_EQ(joined_numbers(0), "");
  EXPECT_EQ(joined_numbers(1), "0");
  EXPECT_EQ(joined_numbers(10), "0,1,2,3,4,5,6,7,8,9");
  EXPECT_EQ(joined_numbers(11), "0,1,2,3,4,5,6,7,8,9,...");
  EXPECT_EQ(joined_numbers(12), "0,1,2,3,4,5,6,7,8,9,...");
}

/// Calls owner_labels() in a scrape.
struct LabelsOfOwners final : Collector {
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    for (const auto& [name, value] : owner_labels(cgroups, paths, context, collection)) {
      labels.push_back(name + "=" + value);
    }
    return collection;
  }

  std::set<kernel::CgroupId> cgroups;
  CgroupPathMap paths;
  std::vector<std::string> labels;
};

std::vector<std::string> labels_of(CollectorFixture& fixture,
                                   const std::set<kernel::CgroupId>& cgroups,
                                   const CgroupPathMap& paths) {
  LabelsOfOwners collector;
  collector.cgroups = cgroups;
  collector.paths = paths;
  EXPECT_THAT(fixture.collect(collector).missing, IsEmpty());
  return collector.labels;
}

const std::string uid = "0a1b2c3d-0000-1111-2222-0123456789ab";
const std::string container_id(64, 'a');
const std::string container_path = "/kubepods/pod" + uid + "/" + container_id;

TEST(OwnerLabels, OmitWhatIsUnknown) {
  CollectorFixture fixture;
  EXPECT_THAT(labels_of(fixture, {}, {{5, "/a.service"}}), IsEmpty());
  EXPECT_THAT(labels_of(fixture, {6}, {{5, "/a.service"}}), IsEmpty());
  EXPECT_THAT(labels_of(fixture, {5, 6}, {{5, "/plain"}}), ElementsAre("cgroup=/plain"));
  EXPECT_THAT(
      labels_of(fixture, {5}, {{5, container_path}}),
      ElementsAre("cgroup=" + container_path, "container_id=" + container_id, "pod_uid=" + uid));
}

TEST(OwnerLabels, NameThePodAndTheContainer) {
  CollectorFixture fixture;
  fixture.log_tree.make_directory("pods/shop_web-0_" + uid);
  fixture.log_tree.write("containers/web-0_shop_nginx-" + container_id + ".log", "");
  EXPECT_THAT(labels_of(fixture, {5}, {{5, container_path}}),
              ElementsAre("cgroup=" + container_path, "container_id=" + container_id,
                          "container_name=nginx", "pod_uid=" + uid, "pod_namespace=shop",
                          "pod_name=web-0"));
}

TEST(OwnerLabels, KeepNamespaceAndNameOfSeveralPodsInTheSameOrder) {
  CollectorFixture fixture;
  const std::string other_uid(32, 'f');
  fixture.log_tree.make_directory("pods/b_x_" + uid);
  fixture.log_tree.make_directory("pods/a_y_" + other_uid);
  EXPECT_THAT(
      labels_of(fixture, {5, 6}, {{5, "/kubepods/pod" + uid}, {6, "/kubepods/pod" + other_uid}}),
      IsSupersetOf({"pod_namespace=a,b", "pod_name=y,x"}));
}

TEST(OwnerLabels, NameThePodOfAContainerIfPodsCannotBeListed) {
  CollectorFixture fixture;
  fixture.log_tree.write("containers/web-0_shop_nginx-" + container_id + ".log", "");
  EXPECT_THAT(labels_of(fixture, {5}, {{5, container_path}}),
              IsSupersetOf({"container_name=nginx", "pod_name=web-0", "pod_namespace=shop"}));
}

TEST(OwnerLabels, NameTheMachineOfAUnit) {
  CollectorFixture fixture;
  const std::string path = "/machine.slice/machine-web.scope/payload/system.slice/nginx.service";
  EXPECT_THAT(labels_of(fixture, {5}, {{5, path}}),
              ElementsAre("cgroup=" + path, "machine=web", "unit=nginx.service"));
}

TEST(OwnerLabels, SayOnceThatTheNamesCannotBeRead) {
  CollectorFixture fixture;
  fixture.log_tree.write("pods", "");
  fixture.log_tree.write("containers", "");
  LabelsOfOwners collector;
  collector.cgroups = {5, 6};
  collector.paths = {{5, container_path}, {6, container_path}};
  EXPECT_THAT(fixture.collect(collector).missing,
              ElementsAre(HasSubstr("pod names: cannot read "),
                          HasSubstr("container names: cannot read ")));
}

TEST(OwnerLabels, AreAnErrorIfTheCgroupsCannotBeRead) {
  CollectorFixture fixture;
  const kernel::CgroupId id = fixture.make_cgroup("/a.service");
  const kernel::FileTree files(fixture.sys_tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  constexpr std::size_t too_few_bytes = 1;
  kernel::CgroupTree cgroups(files, deadline, too_few_bytes);
  kernel::CachedFiles proc(files, deadline);
  const kernel::NetlinkFactory netlink = fixture.kernel.factory();
  kernel::TcpTable tcp(netlink, deadline);
  kernel::CgroupPaths cache;
  Collection collection;
  kernel::PodNames pods(fixture.kubelet_logs(), deadline);
  EXPECT_THAT(find_owners(cache, {proc, cgroups, pods, tcp, netlink, deadline}, {id}, collection),
              IsEmpty());
  EXPECT_THAT(collection.errors, ElementsAre(HasSubstr("cannot read owners: ")));
}

}  // namespace
}  // namespace inetdiag
