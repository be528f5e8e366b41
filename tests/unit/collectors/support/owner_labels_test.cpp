#include "collectors/support/owner_labels.h"

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

TEST(OwnerLabels, OmitWhatIsUnknown) {
  EXPECT_THAT(cgroup_labels({}, {{5, "/a.service"}}), IsEmpty());
  EXPECT_THAT(cgroup_labels({6}, {{5, "/a.service"}}), IsEmpty());
  const Labels labels = cgroup_labels({5, 6}, {{5, "/plain"}});
  ASSERT_EQ(labels.size(), 1U);
  EXPECT_EQ(labels.front().name, "cgroup");
  EXPECT_EQ(labels.front().value, "/plain");
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
  EXPECT_THAT(find_owners(cache, {proc, cgroups, tcp, netlink, deadline}, {id}, collection),
              IsEmpty());
  EXPECT_THAT(collection.errors, ElementsAre(HasSubstr("cannot read owners: ")));
}

}  // namespace
}  // namespace inetdiag
