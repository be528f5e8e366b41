#include "exporter/http/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/listen_socket.h"
#include "tests/unit/support/captured_log.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void serve(HttpServer::Hooks hooks = {}, std::uint16_t port = 0) {
    server_.emplace(
        std::vector<ListenAddress>{{.host = "127.0.0.1", .port = port}},
        [this](const HttpRequest& /*request*/) {
          ++handled_;
          return HttpResponse{.body = body_};
        },
        captured_.log, std::move(hooks));
    port_ = server_->addresses().front().port;
  }

  UniqueFd connect_to_server() const {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // Keeps most of a long response in the server.
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

  UniqueFd send_request() const {
    UniqueFd fd = connect_to_server();
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(::write(fd.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    return fd;
  }

  static void wait_for_response(const UniqueFd& fd) {
    pollfd readable{fd.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&readable, 1, -1), 1);
  }

  static std::string read_all(const UniqueFd& fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    ssize_t n = 0;
    while ((n = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  struct Received {
    std::size_t bytes = 0;
    std::string end;
  };

  /// Reads until the end of the response. Keeps only the last bytes, to read fast.
  static Received receive_all(const UniqueFd& fd) {
    Received received;
    std::array<char, 65536> buffer{};
    ssize_t n = 0;
    while ((n = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0) {
      received.bytes += static_cast<std::size_t>(n);
      received.end.append(buffer.data(), static_cast<std::size_t>(n));
      received.end.erase(0, received.end.size() - std::min<std::size_t>(received.end.size(), 16));
    }
    return received;
  }

  std::string body_ = "hello\n";
  std::atomic<unsigned> handled_ = 0;
  testing::CapturedLog captured_;
  std::optional<HttpServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(HttpServerTest, RespondsAndCloses) {
  serve();
  const std::string response = read_all(send_request());
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_TRUE(response.ends_with("\r\n\r\nhello\n")) << response;
}

TEST_F(HttpServerTest, SendsASingle403ToAnUnknownConnection) {
  serve({.client_for_connection = [](const std::string& /*address*/, int /*port*/,
                                     int /*server_port*/) -> std::optional<std::string> {
    return std::nullopt;
  }});
  const std::string response = read_all(send_request());
  EXPECT_THAT(response, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_EQ(response.find("HTTP/1.1", 1), std::string::npos) << response;
}

TEST_F(HttpServerTest, CompletesResponsesWhenStopped) {
  // More than the send buffer: 4 MiB by default (tcp_wmem).
  constexpr std::size_t bytes = std::size_t{12} << 20U;
  constexpr std::string_view end = "the end\n";
  body_.assign(bytes, 'x').append(end);
  serve();
  const UniqueFd client = send_request();
  wait_for_response(client);
  const std::jthread stopping([this] { server_->stop(); });
  while (connect_to_server()) {
    std::this_thread::yield();
  }
  const Received received = receive_all(client);
  EXPECT_GT(received.bytes, bytes);
  EXPECT_TRUE(received.end.ends_with(end)) << received.bytes << " bytes received";
}

TEST_F(HttpServerTest, HandlesNoRequestIfTheHookFails) {
  // CivetWeb starts threads even if the hook fails; several attempts show whether one serves.
  constexpr int attempts = 20;
  for (int i = 0; i < attempts; ++i) {
    UniqueFd client;
    const auto fail = [&](const std::vector<ListenAddress>& bound) {
      port_ = bound.front().port;
      client = send_request();
      throw std::runtime_error("no sandbox");
    };
    EXPECT_THROW(serve({.before_threads = fail}), std::runtime_error);
    EXPECT_EQ(read_all(client), "");
  }
  EXPECT_EQ(handled_, 0U);
}

TEST_F(HttpServerTest, ReleasesTheHookAfterTheCall) {
  const auto captured = std::make_shared<int>();
  serve({.before_threads = [captured](const auto& /*bound*/) {}});
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(HttpServerTest, StopsOnlyItsOwnSockets) {
  const UniqueFd inherited = listen_on({.host = "127.0.0.2", .port = 0});
  serve({}, local_port(inherited.get()));
  server_->stop();
  int is_listening = 0;
  socklen_t size = sizeof is_listening;
  ASSERT_EQ(::getsockopt(inherited.get(), SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size), 0);
  EXPECT_EQ(is_listening, 1);
}

}  // namespace
}  // namespace inetdiag
