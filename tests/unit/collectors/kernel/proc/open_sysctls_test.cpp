#include "collectors/kernel/proc/open_sysctls.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "collectors/kernel/proc/file_tree.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag::kernel {
namespace {

/// Returns the number of descriptors of this process that are open on a file.
std::ptrdiff_t descriptors_of(const std::string& path) {
  return std::ranges::count_if(std::filesystem::directory_iterator("/proc/self/fd"),
                               [&](const auto& entry) {
                                 std::error_code error;
                                 return std::filesystem::read_symlink(entry, error) == path;
                               });
}

constexpr const char* osrelease = "sys/kernel/osrelease";
constexpr const char* osrelease_path = "/proc/sys/kernel/osrelease";

TEST(OpenSysctls, KeepADescriptorAndReadTheFileAgain) {
  const FileTree proc("/proc");
  const auto expected = proc.read(osrelease);
  ASSERT_TRUE(expected);
  {
    OpenSysctls sysctls(1);
    EXPECT_EQ(sysctls.read(proc, osrelease), expected);
    EXPECT_EQ(descriptors_of(osrelease_path), 1);
    EXPECT_EQ(sysctls.read(proc, osrelease), expected);
    EXPECT_EQ(descriptors_of(osrelease_path), 1);
    // No room for a second one.
    EXPECT_EQ(sysctls.read(proc, "sys/kernel/ostype"), proc.read("sys/kernel/ostype"));
    EXPECT_EQ(descriptors_of("/proc/sys/kernel/ostype"), 0);
  }
  EXPECT_EQ(descriptors_of(osrelease_path), 0);
}

TEST(OpenSysctls, ReturnNothingForAMissingFile) {
  const FileTree proc("/proc");
  for (const std::size_t max_files : {0U, 1U}) {
    EXPECT_FALSE(OpenSysctls(max_files).read(proc, "sys/kernel/none"));
    EXPECT_FALSE(OpenSysctls(max_files).read(proc, "sys/none/none"));
  }
}

TEST(OpenSysctls, SeeAFileThatWasReplacedOutsideOfProcfs) {
  const testing::TemporaryTree tree;
  const FileTree files(tree.root());
  OpenSysctls sysctls(1);
  tree.write("sys/kernel/a", "first\n");
  EXPECT_EQ(sysctls.read(files, "sys/kernel/a"), "first\n");
  tree.write("sys/kernel/b", "second\n");
  std::filesystem::rename(tree.path("sys/kernel/b"), tree.path("sys/kernel/a"));
  EXPECT_EQ(sysctls.read(files, "sys/kernel/a"), "second\n");
}

TEST(OpenSysctls, ThrowIfTheFileCannotBeRead) {
  const testing::TemporaryTree tree;
  tree.make_directory("sys/kernel/directory");
  OpenSysctls sysctls(1);
  EXPECT_THROW((void)sysctls.read(FileTree(tree.root()), "sys/kernel/directory"),
               std::system_error);
}

}  // namespace
}  // namespace inetdiag::kernel
