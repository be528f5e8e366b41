#include "exporter/commands/sockets.h"

#include <array>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/commands/atomic_file.h"
#include "tests/unit/support/diag_messages.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::TcpState;
using testing::FakeKernel;
using testing::FakeSocket;
using testing::TemporaryTree;

std::string list(FakeKernel& fake, const SocketsOptions& options) {
  const TemporaryTree tree;
  FILE* file = std::fopen(tree.path("out").c_str(), "w+");
  list_sockets(fake.factory(), options, ::fileno(file));
  std::rewind(file);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), file)) {
    text.append(part.data(), n);
  }
  std::fclose(file);
  return text;
}

FakeKernel two_sockets() {
  FakeKernel fake;
  fake.sockets = {
      {.address = "0.0.0.0", .port = 443, .receive_queue = 3, .send_queue = 4096},
      {.address = "2001:db8:1111:2222:3333:4444:5555:6666",
       .port = 65535,
       .state = TcpState::close_wait,
       .receive_queue = 4294967295,
       .send_queue = 1},
  };
  return fake;
}

TEST(Sockets, PrintsATable) {
  FakeKernel fake = two_sockets();
  EXPECT_EQ(
      list(fake, {}),
      "STATE       RECV-Q  SEND-Q  LOCAL                         PEER\n"
      "listen      3       4096    0.0.0.0:443                   0.0.0.0:*\n"
      "close_wait  4294967295 1       [2001:db8:1111:2222:3333:4444:5555:6666]:65535 [::]:*\n");
}

TEST(Sockets, PrintsAJsonObjectPerLine) {
  FakeKernel fake = two_sockets();
  EXPECT_EQ(list(fake, {.format = SocketsFormat::json}),
            R"({"state":"listen","local_address":"0.0.0.0","local_port":443,)"
            R"("peer_address":"0.0.0.0","peer_port":0,"device":null,"receive_queue":3,)"
            R"("send_queue":4096,"uid":0,"inode":0})"
            "\n"
            R"({"state":"close_wait","local_address":"[2001:db8:1111:2222:3333:4444:5555:6666]",)"
            R"("local_port":65535,"peer_address":"[::]","peer_port":0,"device":null,)"
            R"("receive_queue":4294967295,"send_queue":1,"uid":0,"inode":0})"
            "\n");
}

TEST(Sockets, CountsSocketsByState) {
  FakeKernel fake = two_sockets();
  fake.sockets.push_back(fake.sockets.front());
  EXPECT_EQ(list(fake, {.summary = true}),
            R"({"schema_version":1,"sockets":3,"states":{"established":0,"syn_sent":0,)"
            R"("syn_recv":0,"fin_wait1":0,"fin_wait2":0,"time_wait":0,"close":0,"close_wait":1,)"
            R"("last_ack":0,"listen":2,"closing":0}})"
            "\n");
}

TEST(Sockets, PrintsOnlyTheHeaderWithoutSockets) {
  FakeKernel fake;
  EXPECT_EQ(list(fake, {}), "STATE       RECV-Q  SEND-Q  LOCAL                         PEER\n");
}

TEST(Sockets, StopsIfTheReaderCloses) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  const kernel::UniqueFd writer(ends[1]);
  FakeKernel fake = two_sockets();
  EXPECT_THROW(list_sockets(fake.factory(), {}, writer.get()), BrokenPipe);
  std::signal(SIGPIPE, before);
}

TEST(Sockets, RejectsPathsAsNamespaceNames) {
  FakeKernel fake;
  for (const char* name : {".", "..", "../self", "/proc/self/ns/net"}) {
    EXPECT_THROW(list_sockets(fake.factory(), {.netns = name, .netns_directory = "/run/netns"},
                              STDOUT_FILENO),
                 std::invalid_argument)
        << name;
  }
  EXPECT_EQ(fake.dumps, 0);
}

}  // namespace
}  // namespace inetdiag
