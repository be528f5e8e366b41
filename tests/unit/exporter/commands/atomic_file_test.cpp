#include "exporter/commands/atomic_file.h"

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using testing::TemporaryTree;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const TemporaryTree& tree) {
  const std::filesystem::directory_iterator files(tree.root());
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

struct stat status_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status;
}

TEST(AtomicFile, CreatesAFileThatAllUsersCanRead) {
  const TemporaryTree tree;
  const mode_t before = ::umask(077);
  replace_file(tree.path("page.prom"), "new");
  ::umask(before);
  EXPECT_EQ(text_of(tree.path("page.prom")), "new");
  EXPECT_EQ(status_of(tree.path("page.prom")).st_mode & 07777, 0644U);
  EXPECT_EQ(files_in(tree), 1U);
}

TEST(AtomicFile, KeepsTheMode) {
  const TemporaryTree tree;
  const std::string path = tree.path("page.prom");
  for (const mode_t mode : {0600U, 0640U, 0664U}) {
    tree.write("page.prom", "old and longer");
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    replace_file(path, "new");
    EXPECT_EQ(text_of(path), "new");
    EXPECT_EQ(status_of(path).st_mode & 07777, mode);
    EXPECT_EQ(files_in(tree), 1U);
  }
}

TEST(AtomicFile, KeepsTheOwner) {
  const TemporaryTree tree;
  const std::string path = tree.path("page.prom");
  tree.write("page.prom", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  if (::chown(path.c_str(), 12, 34) != 0) {
    GTEST_SKIP() << "chown(2) needs CAP_CHOWN";
  }
  replace_file(path, "new");
  EXPECT_EQ(status_of(path).st_uid, 12U);
  EXPECT_EQ(status_of(path).st_gid, 34U);
  EXPECT_EQ(status_of(path).st_mode & 07777, 0600U);
}

TEST(AtomicFile, ReplacesTheTargetOfALink) {
  const TemporaryTree tree;
  tree.write("directory/page.prom", "old");
  std::filesystem::create_symlink("directory/page.prom", tree.path("link"));
  replace_file(tree.path("link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(tree.path("link")));
  EXPECT_EQ(text_of(tree.path("directory/page.prom")), "new");
}

TEST(AtomicFile, CreatesTheTargetOfADanglingLink) {
  const TemporaryTree tree;
  tree.make_directory("directory");
  std::filesystem::create_symlink("second", tree.path("link"));
  std::filesystem::create_symlink("directory/page.prom", tree.path("second"));
  replace_file(tree.path("link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(tree.path("link")));
  EXPECT_TRUE(std::filesystem::is_symlink(tree.path("second")));
  EXPECT_EQ(text_of(tree.path("directory/page.prom")), "new");
  std::filesystem::create_symlink("circle", tree.path("circle"));
  EXPECT_THROW(replace_file(tree.path("circle"), "new"), std::runtime_error);
}

TEST(AtomicFile, RemovesStaleTemporaryFiles) {
  const TemporaryTree tree;
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(2);
  for (const char* name :
       {".page.prom.inetdiag-aB3xyZ", ".page.prom.inetdiag-recent", ".page.prom.inetdiag-toolong",
        ".other.prom.inetdiag-aB3xyZ", "page.prom.inetdiag-aB3xyZ", ".page.prom.backup"}) {
    tree.write(name, "old");
    if (std::string_view(name) != ".page.prom.inetdiag-recent") {
      std::filesystem::last_write_time(tree.path(name), old);
    }
  }
  replace_file(tree.path("page.prom"), "new");
  EXPECT_FALSE(std::filesystem::exists(tree.path(".page.prom.inetdiag-aB3xyZ")));
  EXPECT_TRUE(std::filesystem::exists(tree.path(".page.prom.inetdiag-recent")))
      << "it may be in use";
  EXPECT_TRUE(std::filesystem::exists(tree.path(".page.prom.backup")))
      << "it is not a temporary file";
  EXPECT_EQ(files_in(tree), 6U);
}

TEST(AtomicFile, ReplacesOnlyRegularFiles) {
  const TemporaryTree tree;
  tree.make_directory("directory");
  ASSERT_EQ(::mkfifo(tree.path("fifo").c_str(), 0600), 0);
  EXPECT_THROW(replace_file(tree.path("directory"), "new"), std::runtime_error);
  EXPECT_THROW(replace_file(tree.path("fifo"), "new"), std::runtime_error);
  EXPECT_THROW(replace_file(tree.path("no such directory/page.prom"), "new"), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_fifo(tree.path("fifo")));
  EXPECT_EQ(files_in(tree), 2U);
}

TEST(WriteAll, FailsOnAFullDisk) {
  const kernel::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_THROW(write_all(full.get(), "text"), std::system_error);
}

TEST(WriteAll, WaitsForTheReaderOfANonBlockingPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const kernel::UniqueFd reader(ends[0]);
  const std::string text(1'000'000, 'x');
  std::jthread writer([&] {
    const kernel::UniqueFd end(ends[1]);
    write_all(end.get(), text);
  });
  std::string received;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t n = ::read(reader.get(), part.data(), part.size());
    if (n > 0) {
      received.append(part.data(), static_cast<std::size_t>(n));
    } else if (n == 0) {
      break;
    }
  }
  EXPECT_EQ(received, text);
}

}  // namespace
}  // namespace inetdiag
