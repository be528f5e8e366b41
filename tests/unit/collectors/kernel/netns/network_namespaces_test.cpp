#include "collectors/kernel/netns/network_namespaces.h"

#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/support/soon.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using namespace kernel;
using ::testing::Field;
using ::testing::IsEmpty;
using testing::soon;

NetworkNamespace pinned(std::uint64_t inode, std::string name) {
  return {.id = {4, inode}, .name = name, .file = "/run/netns/" + name};
}

NetworkNamespace with_process(std::uint64_t inode, pid_t process) {
  return {.id = {4, inode}, .name = {}, .file = "/proc/ns", .process = process};
}

NamespaceId id_of(const std::filesystem::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return {status.st_dev, status.st_ino};
}

TEST(MergeNamespaces, KeepsTheFirstNameAndAProcessOfEachInode) {
  const auto all = merge_namespaces({pinned(7, "a"), pinned(8, "b"), pinned(7, "z")},
                                    {with_process(7, 100), with_process(9, 200)});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[0].file, "/run/netns/a");
  EXPECT_EQ(all[0].process, 100);
  EXPECT_EQ(all[1].name, "b");
  EXPECT_EQ(all[1].process, 0);
  EXPECT_EQ(all[2].name, "");
  EXPECT_EQ(all[2].process, 200);
}

TEST(MergeNamespaces, DistinguishesDevices) {
  NetworkNamespace other = pinned(7, "b");
  other.id.device = 5;
  EXPECT_EQ(merge_namespaces({pinned(7, "a"), other}, {}).size(), 2U);
}

TEST(PinnedNamespaces, IgnoreOtherFiles) {
  const testing::TemporaryTree tree;
  tree.write("leftover", "");
  tree.make_directory("directory");
  std::filesystem::create_symlink("none", tree.path("dangling"));
  const auto pinned = pinned_network_namespaces(tree.root());
  EXPECT_THAT(pinned.found, IsEmpty());
  EXPECT_THAT(pinned.errors, IsEmpty());
}

TEST(PinnedNamespaces, ReportFilesThatCannotBeExamined) {
  const testing::TemporaryTree tree;
  // stat() of a symbolic link loop fails for root, too.
  std::filesystem::create_symlink("loop", tree.path("loop"));
  const auto pinned = pinned_network_namespaces(tree.root());
  EXPECT_THAT(pinned.found, IsEmpty());
  ASSERT_EQ(pinned.errors.size(), 1U);
  EXPECT_EQ(pinned.errors.front().code(), std::errc::too_many_symbolic_link_levels);
  EXPECT_THAT(pinned.errors.front().what(),
              ::testing::HasSubstr(tree.path("loop").string() + ": "));
}

TEST(PinnedNamespaces, ReportThePathOfAnUnreadableDirectory) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  try {
    pinned_network_namespaces(tree.path("file").string());
    FAIL() << "a file was accepted as a directory";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::not_a_directory);
    EXPECT_THAT(error.what(), ::testing::HasSubstr(tree.path("file").string()));
  }
}

TEST(ProcessNamespaces, AreUniqueAndIgnoreOtherEntries) {
  const testing::TemporaryTree tree;
  tree.write("10/ns/net", "");
  tree.make_directory("11/ns");
  std::filesystem::create_hard_link(tree.path("10/ns/net"), tree.path("11/ns/net"));
  tree.write("12/ns/net", "");
  tree.make_directory("13");  // exited since readdir()
  tree.write("self/ns/net", "");
  const auto namespaces = process_network_namespaces(FileTree(tree.root()), soon());
  EXPECT_TRUE(namespaces.denied.empty());
  EXPECT_THAT(namespaces.found, ::testing::UnorderedElementsAre(
                                    Field(&NetworkNamespace::id, id_of(tree.path("10/ns/net"))),
                                    Field(&NetworkNamespace::process, 12)));
}

TEST(ProcessNamespaces, ReportDeniedProcesses) {
  const testing::TemporaryTree tree;
  // stat() of a symbolic link loop fails for root, too.
  tree.make_directory("10/ns");
  std::filesystem::create_symlink("net", tree.path("10/ns/net"));
  EXPECT_FALSE(process_network_namespaces(FileTree(tree.root()), soon()).denied.empty());
}

TEST(ProcessNamespaces, AreDeniedIfTheKernelReportsADirectory) {
  const testing::TemporaryTree tree;
  tree.make_directory("10/ns/net");
  tree.write("11/ns/net", "");
  const auto namespaces = process_network_namespaces(FileTree(tree.root()), soon());
  EXPECT_THAT(namespaces.denied, ::testing::ElementsAre(10));
  EXPECT_THAT(namespaces.found, ::testing::ElementsAre(Field(&NetworkNamespace::process, 11)));
}

TEST(ProcessNamespaces, RespectTheDeadline) {
  const testing::TemporaryTree tree;
  tree.write("10/ns/net", "");
  EXPECT_THROW(
      process_network_namespaces(FileTree(tree.root()), Deadline::in(std::chrono::seconds(0))),
      DeadlineExceeded);
}

std::error_code enter(const NetworkNamespace& target) {
  try {
    enter_network_namespace(target);
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

TEST(EnterNetworkNamespace, FailsIfItNoLongerExists) {
  const testing::TemporaryTree tree;
  EXPECT_EQ(enter({.id = {1, 2}, .name = "a", .file = tree.path("none").string()}),
            std::errc::no_such_file_or_directory);
}

TEST(EnterNetworkNamespace, FailsIfTheFileIsAnotherNamespace) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  NamespaceId other = id_of(tree.path("file"));
  ++other.inode;
  EXPECT_EQ(enter({.id = other, .name = "a", .file = tree.path("file").string()}),
            std::errc::no_such_file_or_directory);
}

TEST(EnterNetworkNamespace, DoesNotBlockOnAFifo) {
  const testing::TemporaryTree tree;
  ASSERT_EQ(::mkfifo(tree.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(
      enter({.id = id_of(tree.path("pipe")), .name = "a", .file = tree.path("pipe").string()}),
      std::errc::invalid_argument);
}

TEST(EnterNetworkNamespace, RejectsOtherFiles) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  EXPECT_EQ(
      enter({.id = id_of(tree.path("file")), .name = "a", .file = tree.path("file").string()}),
      std::errc::invalid_argument);
}

}  // namespace
}  // namespace inetdiag
