#include "exporter/http/socket_activation.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporter/http/listen_socket.h"
#include "tests/unit/support/temporary_tree.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::HasSubstr;

std::string error_of_variables(const char* listen_pid, const char* listen_fds) {
  try {
    return std::to_string(count_passed_descriptors(listen_pid, listen_fds, 42));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string error_of_descriptor(int fd) {
  try {
    adopt_listening_socket(fd);
    return "adopted";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(SocketActivation, CountsThePassedDescriptors) {
  EXPECT_EQ(error_of_variables("42", "1"), "1");
  EXPECT_EQ(error_of_variables("42", "1024"), "1024");
}

TEST(SocketActivation, SaysWhyNothingWasPassed) {
  EXPECT_THAT(error_of_variables(nullptr, nullptr), HasSubstr("start the socket unit"));
  EXPECT_THAT(error_of_variables(nullptr, "1"), HasSubstr("LISTEN_FDS is not set"));
  EXPECT_THAT(error_of_variables("42", nullptr), HasSubstr("LISTEN_FDS is not set"));
  for (const auto* pid : {"", "41", "42 ", "0x2a", "-42", "99999999999"}) {
    EXPECT_THAT(error_of_variables(pid, "1"), HasSubstr("this is process 42")) << pid;
  }
  for (const auto* count : {"", "0", "-1", "1025", "1x", " 1", "99999999999"}) {
    EXPECT_THAT(error_of_variables("42", count), HasSubstr("expected a number from 1 to 1024"))
        << count;
  }
}

TEST(SocketActivation, AdoptsListeningStreamSockets) {
  const testing::TemporaryTree tree;
  for (const ListenAddress& address :
       {ListenAddress{.host = "127.0.0.1"}, ListenAddress{.host = "::1"},
        ListenAddress{.path = tree.path("socket")}}) {
    const UniqueFd fd = listen_on(address);
    ::fcntl(fd.get(), F_SETFL, 0);
    const UniqueFd adopted = adopt_listening_socket(::dup(fd.get()));
    EXPECT_NE(::fcntl(adopted.get(), F_GETFD) & FD_CLOEXEC, 0) << address.text();
    EXPECT_NE(::fcntl(adopted.get(), F_GETFL) & O_NONBLOCK, 0) << address.text();
  }
}

TEST(SocketActivation, RejectsOtherDescriptors) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const UniqueFd reader(pipe[0]);
  const UniqueFd writer(pipe[1]);
  const UniqueFd not_listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd datagrams(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const UniqueFd packets(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr any{.sa_family = AF_UNIX, .sa_data = {}};
  ASSERT_EQ(::bind(packets.get(), &any, sizeof any.sa_family), 0);
  ASSERT_EQ(::listen(packets.get(), 1), 0);
  for (const int fd : {reader.get(), not_listening.get(), datagrams.get(), packets.get(), -1}) {
    EXPECT_THAT(error_of_descriptor(fd), HasSubstr("is not a listening stream socket")) << fd;
  }
}

TEST(SocketActivation, RemovesTheVariables) {
  for (const char* variable : {"LISTEN_FDS", "LISTEN_FDNAMES"}) {
    ::setenv(variable, "1", 1);
  }
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  try {
    take_passed_sockets();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("descriptor 3 is not a listening stream socket"));
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    EXPECT_EQ(::getenv(variable), nullptr) << variable;
  }
}

}  // namespace
}  // namespace inetdiag
