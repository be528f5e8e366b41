#include "exporter/http_server.h"

#include <array>
#include <optional>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "captured_log.h"
#include "collectors/kernel/unique_fd.h"

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
  serve({.admits = [](const std::string& /*address*/, int /*port*/) { return false; }});
  const std::string answer = all_of(asking());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
}

TEST_F(HttpServerTest, LetsAnAnswerComeToItsEndWhenStopped) {
  // More than the kernel takes off its hands.
  body_.assign(std::size_t{64} << 20U, 'x');
  serve();
  const UniqueFd client = asking();
  wait_for_answer(client);
  const std::jthread stopping([this] { server_->stop(); });
  while (connected()) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(all_of(client).ends_with("\r\n\r\n" + body_));
}

}  // namespace
}  // namespace inetdiag
