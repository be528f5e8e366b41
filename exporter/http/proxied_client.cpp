#include "exporter/http/proxied_client.h"

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "exporter/http/listen_socket.h"

namespace inetdiag {
namespace {

// For the handshake and the complete request header.
constexpr std::chrono::seconds request_timeout{5};
// From the first byte of the response to the last.
constexpr std::chrono::seconds proxied_response_timeout{30};
// Closing a socket with unread input sends a reset, which may discard a response in flight.
constexpr std::chrono::seconds lingering_close_timeout{2};
constexpr std::size_t max_request_header_bytes = 16384;
constexpr std::size_t forwarded_bytes = 16384;
constexpr int upstream_buffer_bytes = 65536;

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

/// Starts a non-blocking connect. Throws std::system_error.
kernel::UniqueFd connect_to_loopback(std::uint16_t port) {
  kernel::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    throw_errno("socket");
  }
  // With a small buffer the HTTP server notices that a client reads slowly, and times it out.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &upstream_buffer_bytes,
                   sizeof upstream_buffer_bytes) != 0) {
    throw_errno("setsockopt");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
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

void ProxyContext::add_connection(int local_port, const std::string& client) {
  const std::lock_guard lock(mutex_);
  clients_.emplace(local_port, client);
}

void ProxyContext::remove_connection(int local_port) {
  const std::lock_guard lock(mutex_);
  clients_.erase(local_port);
}

std::optional<std::string> ProxyContext::client_of(int local_port) const {
  const std::lock_guard lock(mutex_);
  const auto found = clients_.find(local_port);
  return found != clients_.end() ? std::optional(found->second) : std::nullopt;
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
  if (phase_ != Phase::response) {
    return 0;
  }
  if (request_sent_ < request_.size()) {
    return POLLOUT;
  }
  return response_.empty() && !is_response_complete_ ? POLLIN : 0;
}

bool ProxiedClient::handle_events(const PollFds& ready, Clock::time_point now) {
  const auto& [client, upstream] = ready;
  const bool has_disconnected =
      phase_ == Phase::response && (client.revents & (POLLERR | POLLHUP)) != 0;
  if (has_disconnected || (deadline_ && *deadline_ <= now)) {
    return false;
  }
  return (client.revents == 0 && upstream.revents == 0) || advance();
}

bool ProxiedClient::advance() {
  switch (phase_) {
    case Phase::handshake:
      return handshake();
    case Phase::request:
      return read_request();
    case Phase::response:
      return relay();
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
    if (const auto length = header_length(request_)) {
      request_.resize(*length);
      return connect_upstream();
    }
    if (request_.size() > max_request_header_bytes) {
      return connect_upstream();  // which responds with an error status
    }
  }
}

bool ProxiedClient::connect_upstream() {
  try {
    upstream_ = connect_to_loopback(proxy_.upstream_port);
    upstream_local_port_ = local_port(upstream_.get());
  } catch (const std::system_error& error) {
    proxy_.log_failure(name_, std::string("cannot connect to the HTTP server: ") + error.what());
    return false;
  }
  proxy_.add_connection(upstream_local_port_, name_);
  phase_ = Phase::response;
  // Input after the request stays unread; poll() reports a disconnect in any case.
  events_ = 0;
  return true;
}

bool ProxiedClient::relay() {
  if (request_sent_ < request_.size() && !send_request()) {
    return false;
  }
  while (true) {
    while (!response_.empty()) {
      const auto [status, n] = stream_->write(response_);
      if (!is_ok(status)) {
        return status == IoStatus::would_block;
      }
      response_.erase(0, n);
    }
    events_ = 0;
    if (is_response_complete_) {
      return finish_response();
    }
    const IoStatus status = read_response();
    if (status != IoStatus::ok) {
      return status == IoStatus::would_block;
    }
  }
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
    // A scrape has a deadline of its own.
    deadline_.reset();
  }
  return true;
}

IoStatus ProxiedClient::read_response() {
  response_.resize(forwarded_bytes);
  const ssize_t n = ::recv(upstream_.get(), response_.data(), forwarded_bytes, MSG_DONTWAIT);
  const int error = errno;
  response_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (n < 0) {
    return is_transient(error) ? IoStatus::would_block : IoStatus::failed;
  }
  if (!deadline_) {
    deadline_ = Clock::now() + proxied_response_timeout;
  }
  is_response_complete_ = n == 0;
  return IoStatus::ok;
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
  // Remove the entry first: once the socket is closed, another process may get the port.
  if (upstream_local_port_ != 0) {
    proxy_.remove_connection(std::exchange(upstream_local_port_, 0));
  }
  upstream_ = kernel::UniqueFd();
}

}  // namespace inetdiag
