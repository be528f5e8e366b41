#include "exporter/http/http_server.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "tests/unit/support/captured_log.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void serve(HttpServer::Hooks hooks = {}) {
    server_.emplace(
        std::vector<ListenAddress>{{.host = "127.0.0.1", .port = 0}},
        [this](const HttpRequest& /*request*/) { return HttpResponse{.body = body_}; },
        captured_.log, std::move(hooks));
    port_ = server_->addresses().front().port;
  }

  UniqueFd connected() const {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // So that the kernel does not take a long answer off the server's hands.
    const int receive_buffer = 65536;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port_);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
      fd = UniqueFd();
    }
    return fd;
  }

  UniqueFd asking() const {
    UniqueFd fd = connected();
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(::write(fd.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    return fd;
  }

  static void wait_for_answer(const UniqueFd& fd) {
    pollfd readable{fd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, -1), 1);
  }

  static std::string all_of(const UniqueFd& fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    ssize_t n = 0;
    while ((n = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  struct Taken {
    std::size_t bytes = 0;
    std::string end;
  };

  /// What comes until the end, without keeping it: its reader is not to be what is slow.
  static Taken taken_from(const UniqueFd& fd) {
    Taken taken;
    std::array<char, 65536> buffer{};
    ssize_t n = 0;
    while ((n = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0) {
      taken.bytes += static_cast<std::size_t>(n);
      taken.end.append(buffer.data(), static_cast<std::size_t>(n));
      taken.end.erase(0, taken.end.size() - std::min<std::size_t>(taken.end.size(), 16));
    }
    return taken;
  }

  std::string body_ = "hello\n";
  testing::CapturedLog captured_;
  std::optional<HttpServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(HttpServerTest, AnswersAndCloses) {
  serve();
  const std::string answer = all_of(asking());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello\n")) << answer;
}

TEST_F(HttpServerTest, RefusesWhomItDoesNotAdmitOnce) {
  serve({.client_for_connection = [](const std::string& /*address*/, int /*port*/,
                                     int /*server_port*/) -> std::optional<std::string> {
    return std::nullopt;
  }});
  const std::string answer = all_of(asking());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
}

TEST_F(HttpServerTest, LetsAnAnswerComeToItsEndWhenStopped) {
  // More than the server's send buffer may hold: 4 MiB unless tcp_wmem says otherwise.
  constexpr std::size_t bytes = std::size_t{12} << 20U;
  constexpr std::string_view end = "the end\n";
  body_.assign(bytes, 'x').append(end);
  serve();
  const UniqueFd client = asking();
  wait_for_answer(client);
  const std::jthread stopping([this] { server_->stop(); });
  while (connected()) {
    std::this_thread::yield();
  }
  const Taken taken = taken_from(client);
  EXPECT_GT(taken.bytes, bytes);
  EXPECT_TRUE(taken.end.ends_with(end)) << taken.bytes << " bytes came";
}

}  // namespace
}  // namespace inetdiag
