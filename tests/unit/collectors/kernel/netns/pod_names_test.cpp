#include "collectors/kernel/netns/pod_names.h"

#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ReadPodNames, ParsesLogDirectoriesOfKubelet) {
  const testing::TemporaryTree tree;
  tree.make_directory("shop_web-0_0a1b2c3d-0000-1111-2222-0123456789ab/nginx");
  tree.make_directory("kube-system_etcd-node.example_ffffffffffffffffffffffffffffffff");
  EXPECT_THAT(
      read_pod_names(tree.root()),
      UnorderedElementsAre(
          Pair("0a1b2c3d-0000-1111-2222-0123456789ab", PodName{"shop", "web-0"}),
          Pair("ffffffffffffffffffffffffffffffff", PodName{"kube-system", "etcd-node.example"})));
}

TEST(ReadPodNames, IgnoresOtherNames) {
  const testing::TemporaryTree tree;
  for (const auto* name : {"a", "a_b", "a_b_c_d", "_b_c", "a__c", "a_b_", "__", "_"}) {
    tree.make_directory(name);
  }
  EXPECT_THAT(read_pod_names(tree.root()), IsEmpty());
}

TEST(ReadPodNames, IsEmptyWithoutKubelet) {
  const testing::TemporaryTree tree;
  EXPECT_THAT(read_pod_names(tree.path("none").string()), IsEmpty());
}

TEST(ReadPodNames, FailsIfTheDirectoryCannotBeRead) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  EXPECT_THROW(read_pod_names(tree.path("file").string()), std::system_error);
}

}  // namespace
}  // namespace inetdiag
