#include "exporter/http/proxied_client.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace inetdiag {
namespace {

// For the handshake and the complete request header.
constexpr std::chrono::seconds request_timeout{5};
// While others are served, and then from the first byte of the response to the last.
constexpr std::chrono::seconds response_timeout{30};
// Closing a socket with unread input sends a reset, which may discard a response in flight.
constexpr std::chrono::seconds lingering_close_timeout{2};
constexpr std::size_t max_request_header_bytes = 16384;
constexpr std::size_t read_bytes = 32768;

/// Returns the length of a request's header, including the empty line, if it is complete. Lines may
/// end without a carriage return (RFC 9112, section 2.2).
std::optional<std::size_t> header_length(std::string_view bytes) {
  std::optional<std::size_t> length;
  for (const std::string_view end : {"\n\r\n", "\n\n"}) {
    const std::size_t at = bytes.find(end);
    if (at != std::string_view::npos && (!length || at + end.size() < *length)) {
      length = at + end.size();
    }
  }
  return length;
}

[[noreturn]] void throw_errno(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

/// Throws std::system_error.
kernel::UniqueFd connect_to(const Upstream& upstream) {
  kernel::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    throw_errno("socket");
  }
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&upstream.address),
                upstream.address_length) != 0) {
    throw_errno("connect");
  }
  return fd;
}

}  // namespace

void ProxyContext::log_failure(const std::string& client, const std::string& error) {
  const std::optional<unsigned> suppressed = failures_.try_acquire();
  if (!suppressed) {
    log_.debug("client not served", {{"client", client}, {"error", error}});
    return;
  }
  log_.warn("client not served",
            {{"client", client}, {"error", error}, {"suppressed", std::to_string(*suppressed)}});
}

ProxiedClient::ProxiedClient(kernel::UniqueFd fd, std::string name,
                             std::unique_ptr<ClientStream> stream, ProxyContext& proxy)
    : fd_(std::move(fd)),
      name_(std::move(name)),
      stream_(std::move(stream)),
      proxy_(proxy),
      deadline_(Clock::now() + request_timeout) {}

ProxiedClient::PollFds ProxiedClient::poll_fds() const {
  const short events = upstream_events();
  // poll() reports POLLHUP even if no events are requested, and would not block any more.
  return {{{fd_.get(), events_, 0}, {events != 0 ? upstream_.get() : -1, events, 0}}};
}

short ProxiedClient::upstream_events() const {
  if (!upstream_) {
    return 0;
  }
  return request_sent_ < request_.size() ? POLLOUT : POLLIN;
}

bool ProxiedClient::handle_events(const PollFds& ready, Clock::time_point now) {
  const auto& [client, upstream] = ready;
  const bool has_disconnected = is_served() && (client.revents & (POLLERR | POLLHUP)) != 0;
  if (has_disconnected || (deadline_ && *deadline_ <= now)) {
    return abandon();
  }
  return (client.revents == 0 && upstream.revents == 0) || advance();
}

bool ProxiedClient::advance() {
  switch (phase_) {
    case Phase::handshake:
      return handshake();
    case Phase::request:
      return read_request();
    case Phase::queued:
      return true;
    case Phase::response:
      return relay();
    case Phase::abandoned:
      return discard_response();
    case Phase::rejection:
      return send_rejection();
    default:
      return linger();
  }
}

/// Also sets the events to poll for if the operation would block.
bool ProxiedClient::is_ok(IoStatus status) {
  if (status == IoStatus::would_block) {
    events_ = stream_->poll_events();
  }
  return status == IoStatus::ok;
}

bool ProxiedClient::handshake() {
  const IoStatus status = stream_->handshake();
  if (is_ok(status)) {
    phase_ = Phase::request;
    return read_request();
  }
  if (status == IoStatus::would_block) {
    return true;
  }
  const std::string error = stream_->handshake_error();
  if (error.empty()) {
    return false;
  }
  proxy_.log_failure(name_, error);
  response_ = stream_->rejection_response();
  phase_ = Phase::rejection;
  return send_rejection();
}

bool ProxiedClient::read_request() {
  while (true) {
    std::array<char, 4096> buffer{};
    const auto [status, n] = stream_->read(buffer);
    if (!is_ok(status)) {
      return status == IoStatus::would_block;
    }
    request_.append(buffer.data(), n);
    // Empty lines before the request line (RFC 9112, section 2.2).
    request_.erase(0, std::min(request_.find_first_not_of("\r\n"), request_.size()));
    if (const auto length = header_length(request_)) {
      request_.resize(*length);
      return queue_request();
    }
    if (request_.size() > max_request_header_bytes) {
      return queue_request();  // the HTTP server responds with an error status
    }
  }
}

bool ProxiedClient::queue_request() {
  phase_ = Phase::queued;
  deadline_ = Clock::now() + response_timeout;
  // Input after the request stays unread; poll() reports a reset in any case.
  events_ = 0;
  return true;
}

bool ProxiedClient::forward_request() {
  try {
    upstream_ = connect_to(proxy_.upstream);
  } catch (const std::system_error& error) {
    proxy_.log_failure(name_, std::string("cannot connect to the HTTP server: ") + error.what());
    return false;
  }
  --proxy_.free_connections;
  // After the request line.
  request_.insert(request_.find('\n') + 1, std::string(Upstream::client_header) + ": " +
                                               proxy_.upstream.token + " " + name_ + "\r\n");
  phase_ = Phase::response;
  deadline_.reset();  // a scrape has a deadline of its own
  return relay();
}

/// The HTTP server continues with the request: another must not take its place before.
bool ProxiedClient::abandon() {
  if (!upstream_) {
    return false;
  }
  phase_ = Phase::abandoned;
  deadline_.reset();
  request_sent_ = request_.size();
  ::shutdown(upstream_.get(), SHUT_WR);
  stream_.reset();
  fd_ = kernel::UniqueFd();
  response_ = std::string();
  return discard_response();
}

bool ProxiedClient::discard_response() {
  if (!read_response()) {
    return false;
  }
  response_.clear();
  deadline_.reset();
  return !is_response_complete_;
}

bool ProxiedClient::end_response() {
  if (upstream_) {
    if (!read_response()) {
      return false;
    }
    is_response_complete_ = true;
    close_upstream();
  }
  return phase_ == Phase::response && !response_.empty() && send_response();
}

bool ProxiedClient::relay() {
  if (upstream_ && request_sent_ < request_.size() && !send_request()) {
    return false;
  }
  return (!upstream_ || read_response()) && send_response();
}

bool ProxiedClient::send_request() {
  const ssize_t n = ::send(upstream_.get(), request_.data() + request_sent_,
                           request_.size() - request_sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0) {
    return is_transient(errno);
  }
  request_sent_ += static_cast<std::size_t>(n);
  if (request_sent_ == request_.size()) {
    // Request bodies are not relayed; the HTTP server must not wait for one.
    ::shutdown(upstream_.get(), SHUT_WR);
  }
  return true;
}

/// Reads what the HTTP server has sent. Its thread must not wait for the client.
bool ProxiedClient::read_response() {
  while (!is_response_complete_) {
    std::array<char, read_bytes> buffer{};
    ssize_t n = ::recv(upstream_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == ECONNRESET) {
      n = 0;  // it has responded without reading all of the request (unix_release_sock)
    }
    if (n < 0) {
      return is_transient(errno);
    }
    if (!deadline_) {
      deadline_ = Clock::now() + response_timeout;
    }
    response_.append(buffer.data(), static_cast<std::size_t>(n));
    is_response_complete_ = n == 0;
  }
  close_upstream();
  return true;
}

bool ProxiedClient::send_response() {
  while (response_sent_ < response_.size()) {
    const auto [status, n] = stream_->write(std::string_view(response_).substr(response_sent_));
    if (!is_ok(status)) {
      return status == IoStatus::would_block;
    }
    response_sent_ += n;
  }
  events_ = 0;
  return !is_response_complete_ || finish_response();
}

bool ProxiedClient::send_rejection() {
  if (response_.empty()) {
    return start_lingering_close();
  }
  events_ = POLLOUT;
  const ssize_t n =
      ::send(fd_.get(), response_.data(), response_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0) {
    return is_transient(errno);
  }
  response_.erase(0, static_cast<std::size_t>(n));
  return !response_.empty() || start_lingering_close();
}

bool ProxiedClient::finish_response() {
  const IoStatus status = stream_->close();
  return is_ok(status) || status == IoStatus::failed ? start_lingering_close() : true;
}

bool ProxiedClient::start_lingering_close() {
  close_upstream();
  ::shutdown(fd_.get(), SHUT_WR);
  phase_ = Phase::lingering_close;
  deadline_ = Clock::now() + lingering_close_timeout;
  events_ = POLLIN;
  return true;
}

bool ProxiedClient::linger() const {
  std::array<char, 4096> discarded{};
  const ssize_t n = ::recv(fd_.get(), discarded.data(), discarded.size(), MSG_DONTWAIT);
  return n > 0 || (n < 0 && is_transient(errno));
}

void ProxiedClient::close_upstream() {
  if (upstream_) {
    upstream_ = kernel::UniqueFd();
    ++proxy_.free_connections;
  }
}

}  // namespace inetdiag
