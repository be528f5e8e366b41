#include "exporter/http/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
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
  void serve(std::function<void()> before_threads = [] {}) {
    server_.emplace(
        [this](const HttpRequest& request) {
          ++handled_;
          client_ = request.client;
          return HttpResponse{.body = body_};
        },
        captured_.log, std::move(before_threads));
    upstream_ = server_->upstream();
  }

  UniqueFd connect_to_server() const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&upstream_.address),
                  upstream_.address_length) != 0) {
      fd = UniqueFd();
    }
    return fd;
  }

  UniqueFd send_request(const std::string& fields) const {
    UniqueFd fd = connect_to_server();
    const std::string request = "GET / HTTP/1.1\r\n" + fields + "Host: x\r\n\r\n";
    EXPECT_EQ(::write(fd.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    return fd;
  }

  UniqueFd send_request() const {
    return send_request("X-Inetdiag-Client: " + upstream_.token + " 192.0.2.1 port 5\r\n");
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
  std::string client_;
  std::optional<HttpServer> server_;
  Upstream upstream_;
};

TEST_F(HttpServerTest, RespondsAndCloses) {
  serve();
  const std::string response = read_all(send_request());
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_TRUE(response.ends_with("\r\n\r\nhello\n")) << response;
}

TEST_F(HttpServerTest, KnowsTheClientOfTheProxy) {
  serve();
  read_all(send_request());
  EXPECT_EQ(client_, "192.0.2.1 port 5");
}

TEST_F(HttpServerTest, SendsASingle403ToAnyOtherClient) {
  serve();
  for (const std::string fields : {"", "X-Inetdiag-Client: \r\n", "X-Inetdiag-Client: 0 x\r\n"}) {
    const std::string response = read_all(send_request(fields));
    EXPECT_THAT(response, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
    EXPECT_EQ(response.find("HTTP/1.1", 1), std::string::npos) << response;
  }
  EXPECT_EQ(handled_, 0U);
}

TEST_F(HttpServerTest, ListensOnNoPort) {
  serve();
  int ports = 0;
  for (int fd = 0; fd < 100; ++fd) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    int is_listening = 0;
    socklen_t option_size = sizeof is_listening;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
        name.ss_family == AF_INET &&
        ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &option_size) == 0) {
      ports += is_listening;
    }
  }
  EXPECT_EQ(ports, 0);
}

TEST_F(HttpServerTest, CompletesResponsesWhenStopped) {
  // More than the send buffer (net.core.wmem_default).
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

TEST_F(HttpServerTest, DoesNotStartIfTheHookFails) {
  EXPECT_THROW(serve([] { throw std::runtime_error("no sandbox"); }), std::runtime_error);
}

TEST_F(HttpServerTest, ReleasesTheHookAfterTheCall) {
  const auto captured = std::make_shared<int>();
  serve([captured] {});
  EXPECT_EQ(captured.use_count(), 1);
}

}  // namespace
}  // namespace inetdiag
