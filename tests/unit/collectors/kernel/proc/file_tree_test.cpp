#include "collectors/kernel/proc/file_tree.h"

#include <system_error>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "collectors/kernel/proc/shared_files.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::FileTree;

TEST(FileTree, ReadsAWholeFile) {
  const testing::TemporaryTree tree;
  for (const std::size_t size : {0UL, 1UL, 16384UL, 16385UL, 100000UL}) {
    const std::string text(size, 'x');
    tree.write("net/file", text);
    EXPECT_EQ(FileTree(tree.root()).read("net/file"), text) << size;
  }
}

TEST(FileTree, HasNoAnswerWhereThereIsNoFile) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  EXPECT_FALSE(FileTree(tree.root()).read("nothing"));
  EXPECT_FALSE(FileTree(tree.root()).read("file/below"));
}

TEST(FileTree, NamesTheFileThatItCannotRead) {
  const testing::TemporaryTree tree;
  tree.make_directory("directory");
  try {
    FileTree(tree.root()).read("directory");
    FAIL() << "a directory was read";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::is_a_directory);
    EXPECT_NE(std::string(error.what()).find(tree.path("directory").string()), std::string::npos);
  }
}

TEST(FileTree, DoesNotHangOnAFifo) {
  const testing::TemporaryTree tree;
  ASSERT_EQ(::mkfifo(tree.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(FileTree(tree.root()).read("fifo"), "");
}

TEST(FileTree, RefusesAFileWithoutEnd) {
  try {
    FileTree("/dev").read("zero");
    FAIL() << "/dev/zero was read to its end";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::file_too_large);
  }
}

TEST(FileTree, ReadsFromAFolderThatIsOpen) {
  const testing::TemporaryTree tree;
  tree.write("sys/net/core/somaxconn", "4096\n");
  const FileTree files(tree.root());
  const kernel::UniqueFd folder = files.open_folder("sys/net/core");
  std::filesystem::rename(tree.path("sys"), tree.path("moved"));
  EXPECT_EQ(files.read("sys/net/core/somaxconn", folder), "4096\n");
  EXPECT_FALSE(files.read("sys/net/core/other", folder));
  EXPECT_FALSE(files.open_folder("sys/net/core"));
  EXPECT_FALSE(files.read("sys/net/core/somaxconn", files.open_folder("sys/net/core")));
}

TEST(SharedFiles, ReadSysctlsOfAbsentFoldersAsAbsent) {
  const testing::TemporaryTree tree;
  tree.write("sys/fs/file-max", "7");
  const FileTree files(tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  kernel::SharedFiles shared(files, deadline, true);
  EXPECT_EQ(shared.read("sys/fs/file-max"), "7");
  EXPECT_FALSE(shared.read("sys/fs/nothing"));
  EXPECT_FALSE(shared.read("sys/net/netfilter/nf_conntrack_max"));
  EXPECT_FALSE(shared.read("sys/fs/file-max/below"));
}

TEST(SharedFiles, ReadEachFileOnce) {
  const testing::TemporaryTree tree;
  const FileTree root(tree.root());
  const auto deadline = kernel::Deadline::in(std::chrono::seconds(10));
  kernel::SharedFiles files(root, deadline);
  tree.write("file", "first");
  EXPECT_EQ(files.read("file"), "first");
  EXPECT_FALSE(files.read("later"));
  tree.write("file", "second");
  tree.write("later", "now");
  EXPECT_EQ(files.read("file"), "first");
  EXPECT_FALSE(files.read("later"));
}

TEST(FileTree, OfAThreadReadsItsOwnNetwork) {
  const testing::TemporaryTree tree;
  tree.write("net/snmp", "of the process");
  tree.write("thread-self/net/snmp", "of the thread");
  tree.write("sys/net/core/somaxconn", "of whoever reads");
  const FileTree of_process(tree.root());
  const FileTree of_thread = of_process.for_this_thread();
  EXPECT_EQ(of_process.read("net/snmp"), "of the process");
  EXPECT_EQ(of_thread.read("net/snmp"), "of the thread");
  EXPECT_EQ(of_thread.read("sys/net/core/somaxconn"), "of whoever reads");
  EXPECT_EQ(of_thread.path("network"), tree.root() + "/network");
}

TEST(FileTree, ReadsASysctlThatIsLongerThanOneRead) {
  const testing::TemporaryTree tree;
  const std::string text(40000, 'x');
  tree.write("sys/net/file", text);
  EXPECT_EQ(FileTree(tree.root()).read("sys/net/file"), text);
}

}  // namespace
}  // namespace inetdiag
