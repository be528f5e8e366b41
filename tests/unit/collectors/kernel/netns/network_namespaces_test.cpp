#include "collectors/kernel/netns/network_namespaces.h"

#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using namespace kernel;
using ::testing::Field;
using ::testing::IsEmpty;

Deadline soon() { return Deadline::in(std::chrono::seconds(10)); }

NetworkNamespace pinned(std::uint64_t inode, std::string name) {
  return {.id = {4, inode}, .name = name, .file = "/run/netns/" + name};
}

NetworkNamespace inhabited(std::uint64_t inode, pid_t process) {
  return {.id = {4, inode}, .name = {}, .file = "/proc/ns", .process = process};
}

NamespaceId id_of(const std::filesystem::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return {status.st_dev, status.st_ino};
}

TEST(MergedNamespaces, AreOneForEachInodeWithTheFirstNameAndAProcess) {
  const auto all = merged({pinned(7, "a"), pinned(8, "b"), pinned(7, "z")},
                          {inhabited(7, 100), inhabited(9, 200)});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[0].file, "/run/netns/a");
  EXPECT_EQ(all[0].process, 100);
  EXPECT_EQ(all[1].name, "b");
  EXPECT_EQ(all[1].process, 0);
  EXPECT_EQ(all[2].name, "");
  EXPECT_EQ(all[2].process, 200);
}

TEST(MergedNamespaces, OfDifferentDevicesAreDifferent) {
  NetworkNamespace other = pinned(7, "b");
  other.id.device = 5;
  EXPECT_EQ(merged({pinned(7, "a"), other}, {}).size(), 2U);
}

TEST(PinnedNamespaces, AreNoOtherFiles) {
  const testing::TemporaryTree tree;
  tree.write("left-behind", "");
  tree.make_directory("folder");
  std::filesystem::create_symlink("none", tree.path("dangling"));
  const auto pinned = pinned_network_namespaces(tree.root());
  EXPECT_THAT(pinned.found, IsEmpty());
  EXPECT_THAT(pinned.refusals, IsEmpty());
}

TEST(PinnedNamespaces, ThatCannotBeLookedAtAreTold) {
  const testing::TemporaryTree tree;
  // A loop of links is what anyone, root too, is refused.
  std::filesystem::create_symlink("loop", tree.path("loop"));
  const auto pinned = pinned_network_namespaces(tree.root());
  EXPECT_THAT(pinned.found, IsEmpty());
  ASSERT_EQ(pinned.refusals.size(), 1U);
  EXPECT_EQ(pinned.refusals.front().code(), std::errc::too_many_symbolic_link_levels);
  EXPECT_THAT(pinned.refusals.front().what(),
              ::testing::HasSubstr(tree.path("loop").string() + ": "));
}

TEST(PinnedNamespaces, NameTheFolderThatCannotBeRead) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  try {
    pinned_network_namespaces(tree.path("file").string());
    FAIL() << "a file was read as a folder";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::not_a_directory);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(tree.path("file").string()));
  }
}

TEST(ProcessNamespaces, AreOneForEachAndOfProcessesOnly) {
  const testing::TemporaryTree tree;
  tree.write("10/ns/net", "");
  tree.make_directory("11/ns");
  std::filesystem::create_hard_link(tree.path("10/ns/net"), tree.path("11/ns/net"));
  tree.write("12/ns/net", "");
  tree.make_directory("13");  // ended since it was listed
  tree.write("self/ns/net", "");
  const auto namespaces = process_network_namespaces(FileTree(tree.root()), soon());
  EXPECT_FALSE(namespaces.has_refused);
  EXPECT_THAT(namespaces.found, ::testing::UnorderedElementsAre(
                                    Field(&NetworkNamespace::id, id_of(tree.path("10/ns/net"))),
                                    Field(&NetworkNamespace::process, 12)));
}

TEST(ProcessNamespaces, ThatMayNotBeAskedAreTold) {
  const testing::TemporaryTree tree;
  // A loop of links is what anyone, root too, is refused.
  tree.make_directory("10/ns");
  std::filesystem::create_symlink("net", tree.path("10/ns/net"));
  EXPECT_TRUE(process_network_namespaces(FileTree(tree.root()), soon()).has_refused);
}

TEST(ProcessNamespaces, KeepTheDeadline) {
  const testing::TemporaryTree tree;
  tree.write("10/ns/net", "");
  EXPECT_THROW(
      process_network_namespaces(FileTree(tree.root()), Deadline::in(std::chrono::seconds(0))),
      DeadlineExceeded);
}

std::error_code entering(const NetworkNamespace& target) {
  try {
    enter_network_namespace(target);
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

TEST(EnteringANamespace, ThatIsGoneFailsAsAbsent) {
  const testing::TemporaryTree tree;
  EXPECT_EQ(entering({.id = {1, 2}, .name = "a", .file = tree.path("none").string()}),
            std::errc::no_such_file_or_directory);
}

TEST(EnteringANamespace, WhoseFileIsAnothersByNowFailsAsAbsent) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  NamespaceId other = id_of(tree.path("file"));
  ++other.inode;
  EXPECT_EQ(entering({.id = other, .name = "a", .file = tree.path("file").string()}),
            std::errc::no_such_file_or_directory);
}

TEST(EnteringANamespace, WhoseNameIsThatOfAPipeFailsAtOnce) {
  const testing::TemporaryTree tree;
  ASSERT_EQ(::mkfifo(tree.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(
      entering({.id = id_of(tree.path("pipe")), .name = "a", .file = tree.path("pipe").string()}),
      std::errc::invalid_argument);
}

TEST(EnteringANamespace, ThatIsNoneFails) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  EXPECT_EQ(
      entering({.id = id_of(tree.path("file")), .name = "a", .file = tree.path("file").string()}),
      std::errc::invalid_argument);
}

}  // namespace
}  // namespace inetdiag
