// Listening on UNIX sockets, whose files remain after their program has ended.
#include "exporter/http/listen_socket.h"

#include <algorithm>
#include <filesystem>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::HasSubstr;

std::string listen_error_of(const std::string& path) {
  try {
    listen_on({.path = path});
    return "listens";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(ListenSocket, KnowsItsAddress) {
  const testing::TemporaryTree tree;
  const std::string path = tree.path("socket");
  EXPECT_EQ(local_address(listen_on({.path = path}).get()), (ListenAddress{.path = path}));
  for (const auto* host : {"127.0.0.1", "::1"}) {
    const UniqueFd fd = listen_on({.host = host});
    EXPECT_EQ(local_address(fd.get()), (ListenAddress{.host = host, .port = local_port(fd.get())}));
  }
}

TEST(ListenSocket, ReplacesTheFileOfAnEndedProgram) {
  const testing::TemporaryTree tree;
  const std::string path = tree.path("socket");
  listen_on({.path = path});
  EXPECT_TRUE(std::filesystem::is_socket(path));
  const UniqueFd again = listen_on({.path = path});
  EXPECT_EQ(local_address(again.get()).path, path);
}

TEST(ListenSocket, DoesNotReplaceTheSocketOfARunningProgram) {
  const testing::TemporaryTree tree;
  const std::string path = tree.path("socket");
  const UniqueFd first = listen_on({.path = path});
  EXPECT_THAT(listen_error_of(path), HasSubstr("another program listens on it; stop it"));
}

TEST(ListenSocket, DoesNotReplaceOtherFiles) {
  const testing::TemporaryTree tree;
  tree.write("file", "text");
  std::filesystem::create_symlink("socket", tree.path("link"));
  listen_on({.path = tree.path("socket")});
  for (const auto* name : {"file", "link", ""}) {
    EXPECT_THAT(listen_error_of(tree.path(name)), HasSubstr("is not a socket; remove it")) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(tree.path("socket")));
}

TEST(ListenSocket, NamesAMissingDirectory) {
  const testing::TemporaryTree tree;
  EXPECT_THAT(listen_error_of(tree.path("none/socket")), HasSubstr("the directory must exist"));
  EXPECT_THAT(listen_error_of("/" + std::string(200, 'x')), HasSubstr("the path is too long"));
}

TEST(ListenSocket, OneOfManyReplacesAStaleFile) {
  const testing::TemporaryTree tree;
  const std::string path = tree.path("socket");
  listen_on({.path = path});
  constexpr std::size_t programs = 8;
  std::latch begin(programs);
  std::vector<UniqueFd> listening(programs);
  {
    std::vector<std::jthread> threads;
    for (UniqueFd& fd : listening) {
      threads.emplace_back([&] {
        begin.arrive_and_wait();
        try {
          fd = listen_on({.path = path});
        } catch (const std::runtime_error&) {
          return;  // another one was faster
        }
      });
    }
  }
  EXPECT_EQ(std::ranges::count_if(listening, [](const UniqueFd& fd) { return bool(fd); }), 1);
}

}  // namespace
}  // namespace inetdiag
