#include "collectors/kernel/netns/pod_names.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::kernel {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ReadPodNames, ParsesLogDirectoriesOfKubelet) {
  const inetdiag::testing::TemporaryTree tree;
  tree.make_directory("shop_web-0_0a1b2c3d-0000-1111-2222-0123456789ab/nginx");
  tree.make_directory("kube-system_etcd-node.example_ffffffffffffffffffffffffffffffff");
  EXPECT_THAT(
      read_pod_names(tree.root()),
      UnorderedElementsAre(
          Pair("0a1b2c3d-0000-1111-2222-0123456789ab", PodName{"shop", "web-0"}),
          Pair("ffffffffffffffffffffffffffffffff", PodName{"kube-system", "etcd-node.example"})));
}

TEST(ReadPodNames, IgnoresOtherNames) {
  const inetdiag::testing::TemporaryTree tree;
  for (const auto* name : {"a", "a_b", "a_b_c_d", "_b_c", "a__c", "a_b_", "__", "_"}) {
    tree.make_directory(name);
  }
  EXPECT_THAT(read_pod_names(tree.root()), IsEmpty());
}

TEST(ReadPodNames, IsEmptyWithoutKubelet) {
  const inetdiag::testing::TemporaryTree tree;
  EXPECT_THAT(read_pod_names(tree.path("none").string()), IsEmpty());
}

TEST(ReadPodNames, FailsIfTheDirectoryCannotBeRead) {
  const inetdiag::testing::TemporaryTree tree;
  tree.write("file", "");
  EXPECT_THROW(read_pod_names(tree.path("file").string()), std::system_error);
}

const std::string container_id(64, 'a');

TEST(ReadContainerNames, ParsesLogFilesOfKubelet) {
  const inetdiag::testing::TemporaryTree tree;
  tree.write("web-0_shop_nginx-" + container_id + ".log", "");
  tree.write("etcd-node.example_kube-system_etcd-main-" + std::string(64, 'b') + ".log", "");
  EXPECT_THAT(
      read_container_names(tree.root()),
      UnorderedElementsAre(Pair(container_id, ContainerName{{"shop", "web-0"}, "nginx"}),
                           Pair(std::string(64, 'b'),
                                ContainerName{{"kube-system", "etcd-node.example"}, "etcd-main"})));
}

TEST(ReadContainerNames, IgnoresOtherNames) {
  const inetdiag::testing::TemporaryTree tree;
  for (const std::string& name :
       {"web-0_shop_nginx-" + container_id, std::string("a_b_c.log"), std::string("a_b_-d.log"),
        std::string("a_b_c-.log"), std::string("a_b.log"), std::string(".log"),
        std::string("a_b_c_d-e.log")}) {
    tree.write(name, "");
  }
  EXPECT_THAT(read_container_names(tree.root()), IsEmpty());
}

TEST(PodNames, PreferThePodOfTheContainer) {
  const PodNames::Names names{.pods = {{"1", {"shop", "web-0"}}, {"2", {"shop", "web-1"}}},
                              .containers = {{container_id, {{"shop", "web-1"}, "nginx"}}}};
  EXPECT_EQ(names.pod_of(container_id, "1"), (PodName{"shop", "web-1"}));
  EXPECT_EQ(names.pod_of("", "1"), (PodName{"shop", "web-0"}));
  EXPECT_EQ(names.pod_of("", "3"), PodName());
}

TEST(PodNames, ReadTheDirectoriesOnce) {
  const inetdiag::testing::TemporaryTree tree;
  tree.make_directory("pods/shop_web-0_ffffffffffffffffffffffffffffffff");
  const auto deadline = Deadline::in(std::chrono::seconds(10));
  PodNames names({.pods = tree.path("pods"), .containers = tree.path("containers")}, deadline);
  std::vector<std::string> missing;
  EXPECT_EQ(names.read(missing).pods.size(), 1U);
  std::filesystem::remove_all(tree.path("pods"));
  EXPECT_EQ(names.read(missing).pods.size(), 1U);
  EXPECT_THAT(missing, IsEmpty());
}

}  // namespace
}  // namespace inetdiag::kernel
