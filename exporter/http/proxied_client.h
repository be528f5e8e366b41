#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <poll.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/client_stream.h"
#include "exporter/http/upstream.h"
#include "exporter/log/log.h"
#include "exporter/log/rate_limiter.h"

namespace inetdiag {

/// The state that the clients of one proxy share.
class ProxyContext {
 public:
  explicit ProxyContext(const Log& log) : log_(log) {}

  /// Logs that a client was not served.
  void log_failure(const std::string& client, const std::string& error);

  Upstream upstream;
  std::size_t free_connections = 0;  ///< how many more the HTTP server can serve now

 private:
  const Log& log_;
  LogRateLimiter failures_;
};

/// A client of ReverseProxy, from the handshake to the lingering close. Never blocks.
class ProxiedClient {
 public:
  using Clock = std::chrono::steady_clock;
  /// The client's socket and that of the connection to the HTTP server.
  using PollFds = std::array<pollfd, 2>;

  ProxiedClient(kernel::UniqueFd fd, std::string name, std::unique_ptr<ClientStream> stream,
                ProxyContext& proxy);
  ProxiedClient(const ProxiedClient&) = delete;
  ProxiedClient& operator=(const ProxiedClient&) = delete;
  ~ProxiedClient() { close_upstream(); }

  /// Whether the request has not been forwarded.
  bool is_sending_request() const { return phase_ < Phase::response; }
  /// Whether the request is complete, and can be forwarded.
  bool has_request() const { return phase_ == Phase::queued; }
  bool is_awaiting_response() const { return phase_ == Phase::response; }
  /// Whether it must not make room for another client.
  bool is_served() const { return phase_ >= Phase::queued && phase_ <= Phase::abandoned; }
  const std::optional<Clock::time_point>& deadline() const { return deadline_; }

  PollFds poll_fds() const;
  /// Does all work that is possible without blocking. Returns false if the client must be closed.
  bool handle_events(const PollFds& ready, Clock::time_point now);
  /// Connects to the HTTP server. Returns false if the client must be closed.
  bool forward_request();
  /// Takes what the HTTP server has sent as the complete response, because it has stopped. Returns
  /// false if the client must be closed.
  bool end_response();

 private:
  enum class Phase {
    handshake,
    request,          ///< until the header is complete
    queued,           ///< until the HTTP server can serve it
    response,         ///< of the HTTP server
    abandoned,        ///< the client has disconnected: until the HTTP server has responded
    rejection,        ///< sends ClientStream::rejection_response()
    lingering_close,  ///< until the client closes its end
  };

  bool advance();
  bool handshake();
  bool read_request();
  bool queue_request();
  bool abandon();
  bool discard_response();
  bool relay();
  bool send_request();
  bool read_response();
  bool send_response();
  bool send_rejection();
  bool finish_response();
  bool start_lingering_close();
  bool linger() const;
  void close_upstream();
  bool is_ok(IoStatus status);
  short upstream_events() const;

  kernel::UniqueFd fd_;
  std::string name_;
  std::unique_ptr<ClientStream> stream_;
  ProxyContext& proxy_;
  Phase phase_ = Phase::handshake;
  std::optional<Clock::time_point> deadline_;
  short events_ = POLLIN;  ///< polled for on fd_
  kernel::UniqueFd upstream_;
  std::string request_;  ///< the request line and the header fields
  std::size_t request_sent_ = 0;
  std::string response_;
  std::size_t response_sent_ = 0;
  bool is_response_complete_ = false;
};

}  // namespace inetdiag
