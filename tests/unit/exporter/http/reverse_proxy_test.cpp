#include "exporter/http/reverse_proxy.h"

#include <array>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/listen_socket.h"
#include "exporter/http/plain_stream.h"
#include "tests/unit/support/captured_log.h"

namespace inetdiag {
namespace {

using kernel::UniqueFd;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  return fd;
}

/// Restores RLIMIT_NOFILE.
class DescriptorLimit {
 public:
  DescriptorLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  /// Makes attempts to open a descriptor fail with EMFILE, also when a thread of an earlier test
  /// closes one.
  void exhaust() {
    // The proxy polls this number of descriptors with one client, and poll() fails above the limit.
    constexpr int polled = 4;
    do {
      below_limit_.emplace_back(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    } while (below_limit_.back().get() < polled);
    const rlimit limit{polled, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

 private:
  rlimit before_{};
  std::vector<UniqueFd> below_limit_;
};

/// Counts down when the client has sent something: no accept() is pending then.
class LatchedStream final : public PlainStream {
 public:
  LatchedStream(int fd, std::latch& begun) : PlainStream(fd), begun_(begun) {}

  IoStatus handshake() override {
    begun_.count_down();
    return IoStatus::ok;
  }

 private:
  std::latch& begun_;
};

class ReverseProxyTest : public ::testing::Test {
 protected:
  void start(std::size_t max_connections = 2, std::vector<UniqueFd> listening = {}) {
    listening.insert(listening.begin(), listen_on({.host = "127.0.0.1", .port = 0}));
    proxy_.emplace(
        std::move(listening),
        [this](int fd) { return std::make_unique<LatchedStream>(fd, begun_); }, 4, captured_.log);
    proxy_->start(upstream_, max_connections);
  }

  /// Listens as the HTTP server does.
  UniqueFd listen_upstream() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto* const name = reinterpret_cast<sockaddr*>(&upstream_.address);
    upstream_.address_length = sizeof upstream_.address;
    EXPECT_EQ(::bind(fd.get(), name, sizeof(sa_family_t)), 0);
    EXPECT_EQ(::listen(fd.get(), 4), 0);
    EXPECT_EQ(::getsockname(fd.get(), name, &upstream_.address_length), 0);
    return fd;
  }

  UniqueFd send(std::string_view text) const {
    UniqueFd client = connect_to(port());
    EXPECT_EQ(::write(client.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return client;
  }

  static UniqueFd accept_from(const UniqueFd& server) {
    return UniqueFd(::accept(server.get(), nullptr, nullptr));
  }

  static std::string read_until_closed(const UniqueFd& fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t n = 0;
    while ((n = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  /// Reads the request and responds.
  static void respond(UniqueFd connection, std::string_view text) {
    read_until_closed(connection);
    EXPECT_EQ(::write(connection.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }

  std::uint16_t port() const { return proxy_->addresses().front().port; }

  testing::CapturedLog captured_;
  std::latch begun_{1};
  Upstream upstream_{.address = {.sun_family = AF_UNIX, .sun_path = {}}, .token = "secret"};
  std::optional<ReverseProxy> proxy_;
};

TEST_F(ReverseProxyTest, RelaysRequestAndResponse) {
  const UniqueFd upstream = listen_upstream();
  start();
  const UniqueFd client = send(request);
  UniqueFd connection = accept_from(upstream);
  EXPECT_THAT(read_until_closed(connection),
              MatchesRegex("GET / HTTP/1.1\r\nX-Inetdiag-Client: secret 127.0.0.1 port [0-9]+\r\n"
                           "Host: x\r\n\r\n"));
  respond(std::move(connection), "response");
  EXPECT_EQ(read_until_closed(client), "response");
}

TEST_F(ReverseProxyTest, NamesTheClientBeforeAFieldOfTheClient) {
  const UniqueFd upstream = listen_upstream();
  start();
  const UniqueFd client = send("GET / HTTP/1.1\nX-Inetdiag-Client: secret other\n\n");
  const std::string forwarded = read_until_closed(accept_from(upstream));
  EXPECT_LT(forwarded.find("secret 127.0.0.1"), forwarded.find("secret other"));
}

TEST_F(ReverseProxyTest, QueuesRequestsBeyondTheConnections) {
  const UniqueFd upstream = listen_upstream();
  start(1);
  const UniqueFd first = send(request);
  UniqueFd connection = accept_from(upstream);
  const UniqueFd second = send(request);
  pollfd waiting{upstream.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 100), 0);
  respond(std::move(connection), "one");
  EXPECT_EQ(read_until_closed(first), "one");
  respond(accept_from(upstream), "two");
  EXPECT_EQ(read_until_closed(second), "two");
}

TEST_F(ReverseProxyTest, WaitsForTheResponseToAClientThatHasDisconnected) {
  const UniqueFd upstream = listen_upstream();
  start(1);
  UniqueFd first = send(request);
  UniqueFd connection = accept_from(upstream);
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(::setsockopt(first.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  first = UniqueFd();
  const UniqueFd second = send(request);
  pollfd waiting{upstream.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 100), 0);
  respond(std::move(connection), "one");
  respond(accept_from(upstream), "two");
  EXPECT_EQ(read_until_closed(second), "two");
}

TEST_F(ReverseProxyTest, StopsAlthoughTheServerDoesNotRespond) {
  const UniqueFd upstream = listen_upstream();
  start();
  const UniqueFd client = send(request);
  const UniqueFd connection = accept_from(upstream);
  proxy_->stop();
  EXPECT_EQ(read_until_closed(client), "");
}

TEST_F(ReverseProxyTest, SkipsEmptyLinesBeforeTheRequest) {
  const UniqueFd upstream = listen_upstream();
  start();
  const UniqueFd client = send("\r\n\r\n" + std::string(request));
  EXPECT_THAT(read_until_closed(accept_from(upstream)), StartsWith("GET / HTTP/1.1\r\nX-"));
}

TEST_F(ReverseProxyTest, KeepsNoConnectionForAClientThatDoesNotRead) {
  const UniqueFd upstream = listen_upstream();
  start(1);
  const UniqueFd slow = send(request);
  respond(accept_from(upstream), std::string(std::size_t{12} << 20U, 'x'));
  const UniqueFd other = send(request);
  respond(accept_from(upstream), "two");
  EXPECT_EQ(read_until_closed(other), "two");
}

TEST_F(ReverseProxyTest, ServesTheOtherSocketsAfterOneWasDestroyed) {
  UniqueFd destroyed = listen_on({.host = "127.0.0.1", .port = 0});
  ASSERT_EQ(::shutdown(destroyed.get(), SHUT_RDWR), 0);
  const UniqueFd server = listen_upstream();
  std::vector<UniqueFd> listening;
  listening.push_back(std::move(destroyed));
  start(2, std::move(listening));
  const UniqueFd client = send(request);
  respond(accept_from(server), "response");
  EXPECT_EQ(read_until_closed(client), "response");
  EXPECT_EQ(captured_.count("a listening socket was destroyed"), 1) << captured_.text();
}

TEST_F(ReverseProxyTest, LogsTheErrorOfTheCallThatFailed) {
  const UniqueFd upstream = listen_upstream();
  start();
  const UniqueFd client = send(request.substr(0, 1));
  begun_.wait();
  DescriptorLimit limit;
  limit.exhaust();
  const std::string_view rest = request.substr(1);
  ASSERT_EQ(::write(client.get(), rest.data(), rest.size()), static_cast<ssize_t>(rest.size()));
  EXPECT_EQ(read_until_closed(client), "");
  proxy_.reset();  // ends the thread that writes the log
  EXPECT_THAT(captured_.text(), HasSubstr("socket: Too many open files"));
}

}  // namespace
}  // namespace inetdiag
