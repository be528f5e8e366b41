#include "collectors/kernel/file_tree.h"

#include <system_error>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::FileTree;

TEST(FileTree, ReadsAWholeFileIntoTheBuffer) {
  const testing::TemporaryTree tree;
  std::string buffer;
  for (const std::size_t size : {0UL, 1UL, 16384UL, 16385UL, 100000UL}) {
    const std::string text(size, 'x');
    tree.write("net/file", text);
    EXPECT_EQ(FileTree(tree.root()).read("net/file", buffer), text) << size;
  }
}

TEST(FileTree, HasNoAnswerWhereThereIsNoFile) {
  const testing::TemporaryTree tree;
  tree.write("file", "");
  std::string buffer;
  EXPECT_FALSE(FileTree(tree.root()).read("nothing", buffer));
  EXPECT_FALSE(FileTree(tree.root()).read("file/below", buffer));
}

TEST(FileTree, NamesTheFileThatItCannotRead) {
  const testing::TemporaryTree tree;
  tree.make_directory("directory");
  std::string buffer;
  try {
    FileTree(tree.root()).read("directory", buffer);
    FAIL() << "a directory was read";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::is_a_directory);
    EXPECT_NE(std::string(error.what()).find(tree.path("directory").string()), std::string::npos);
  }
}

TEST(FileTree, DoesNotHangOnAFifo) {
  const testing::TemporaryTree tree;
  ASSERT_EQ(::mkfifo(tree.path("fifo").c_str(), 0600), 0);
  std::string buffer;
  EXPECT_EQ(FileTree(tree.root()).read("fifo", buffer), "");
}

TEST(FileTree, RefusesAFileWithoutEnd) {
  std::string buffer;
  try {
    FileTree("/dev").read("zero", buffer);
    FAIL() << "/dev/zero was read to its end";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::file_too_large);
  }
}

}  // namespace
}  // namespace inetdiag
