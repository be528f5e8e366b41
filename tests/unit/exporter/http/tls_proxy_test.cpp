#include "exporter/http/tls_proxy.h"

#include <array>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
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

class TlsProxyTest : public ::testing::Test {
 protected:
  void start(std::uint16_t upstream_port) {
    std::vector<UniqueFd> listening;
    listening.push_back(listen_on({.host = "127.0.0.1", .port = 0}));
    proxy_.emplace(
        std::move(listening),
        [this](int fd) { return std::make_unique<LatchedStream>(fd, begun_); }, 4, captured_.log);
    proxy_->start(upstream_port);
  }

  std::uint16_t port() const { return proxy_->addresses().front().port; }

  static std::string read_until_closed(const UniqueFd& fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t n = 0;
    while ((n = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  testing::CapturedLog captured_;
  std::latch begun_{1};
  std::optional<TlsProxy> proxy_;
};

TEST_F(TlsProxyTest, RelaysRequestAndResponse) {
  const UniqueFd upstream = listen_on({.host = "127.0.0.1", .port = 0});
  start(local_port(upstream.get()));
  const UniqueFd client = connect_to(port());
  ASSERT_EQ(::write(client.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  UniqueFd connection;
  sockaddr_in peer{};
  while (!connection) {
    socklen_t size = sizeof peer;
    connection = UniqueFd(::accept(upstream.get(), reinterpret_cast<sockaddr*>(&peer), &size));
  }
  EXPECT_EQ(read_until_closed(connection), request);
  EXPECT_THAT(proxy_->client_for_connection("127.0.0.1", ntohs(peer.sin_port)).value_or(""),
              HasSubstr("127.0.0.1 port "));
  EXPECT_EQ(proxy_->client_for_connection("127.0.0.2", ntohs(peer.sin_port)), std::nullopt);
  ASSERT_EQ(::write(connection.get(), "response", 8), 8);
  connection = UniqueFd();
  EXPECT_EQ(read_until_closed(client), "response");
}

TEST_F(TlsProxyTest, LogsTheErrorOfTheCallThatFailed) {
  start(1);
  const UniqueFd client = connect_to(port());
  ASSERT_EQ(::write(client.get(), request.data(), 1), 1);
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
