#include "collectors/kernel/proc/file_tree.h"

#include <system_error>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "collectors/kernel/proc/cached_files.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::FileTree;

TEST(FileTree, ReadsFilesOfAnySize) {
  const testing::TemporaryTree tree;
  for (const std::size_t size : {0UL, 1UL, 16384UL, 16385UL, 100000UL}) {
    const std::string text(size, 'x');
    tree.write("net/file", text);
    EXPECT_EQ(FileTree(tree.root()).read("net/file"), text) << size;
  }
}

TEST(FileTree, ReturnsNothingForMissingFiles) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  EXPECT_FALSE(FileTree(tree.root()).read("missing"));
  EXPECT_FALSE(FileTree(tree.root()).read("file/below"));
}

TEST(FileTree, ReportsThePathOfAnUnreadableFile) {
  const testing::TemporaryTree tree;
  tree.make_directory("directory");
  try {
    FileTree(tree.root()).read("directory");
    FAIL() << "read() accepted a directory";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::is_a_directory);
    EXPECT_NE(std::string(error.what()).find(tree.path("directory").string()), std::string::npos);
  }
}

TEST(FileTree, DoesNotBlockOnAFifo) {
  const testing::TemporaryTree tree;
  ASSERT_EQ(::mkfifo(tree.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(FileTree(tree.root()).read("fifo"), "");
}

TEST(FileTree, RejectsEndlessFiles) {
  try {
    FileTree("/dev").read("zero");
    FAIL() << "read() accepted /dev/zero";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::file_too_large);
  }
}

TEST(CachedFiles, ReadEachFileOnce) {
  const testing::TemporaryTree tree;
  const FileTree root(tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  kernel::CachedFiles files(root, deadline);
  tree.write("file", "first");
  EXPECT_EQ(files.read("file"), "first");
  EXPECT_FALSE(files.read("later"));
  tree.write("file", "second");
  tree.write("later", "now");
  EXPECT_EQ(files.read("file"), "first");
  EXPECT_FALSE(files.read("later"));
}

TEST(FileTree, ReadsTheNetworkNamespaceOfTheThread) {
  const testing::TemporaryTree tree;
  tree.write("net/snmp", "process");
  tree.write("thread-self/net/snmp", "thread");
  tree.write("sys/net/core/somaxconn", "either");
  const FileTree of_process(tree.root());
  const FileTree of_thread = of_process.for_this_thread();
  EXPECT_EQ(of_process.read("net/snmp"), "process");
  EXPECT_EQ(of_thread.read("net/snmp"), "thread");
  EXPECT_EQ(of_thread.read("sys/net/core/somaxconn"), "either");
  EXPECT_EQ(of_thread.path("network"), tree.root() + "/network");
}

TEST(FileTree, ReadsSysctlsLongerThanTheBuffer) {
  const testing::TemporaryTree tree;
  const std::string text(40000, 'x');
  tree.write("sys/net/file", text);
  EXPECT_EQ(FileTree(tree.root()).read("sys/net/file"), text);
}

}  // namespace
}  // namespace inetdiag
