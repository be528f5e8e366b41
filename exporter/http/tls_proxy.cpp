#include "exporter/http/tls_proxy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/listen_socket.h"
#include "exporter/log/rate_limiter.h"

namespace inetdiag {
namespace {

using Clock = std::chrono::steady_clock;
using kernel::UniqueFd;

constexpr std::size_t max_accepts_per_round = 64;
// From the first byte of the handshake to the last of the request's head.
constexpr std::chrono::seconds request_timeout{5};
// From the first byte of the answer to the last.
constexpr std::chrono::seconds response_timeout{30};
// For the client's goodbye: closing at once could destroy what it has not read yet.
constexpr std::chrono::seconds lingering_close_timeout{2};
constexpr std::size_t max_header_bytes = 16384;
constexpr std::size_t piece_bytes = 16384;
constexpr int server_buffer_bytes = 65536;

std::string peer_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&name), size, host.data(), host.size(),
                    port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  return std::string(host.data()) + " port " + port.data();
}

std::uint16_t port_of(int fd) {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(name.sin6_port);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

/// The length of a request's head with its empty line, nothing while that has not come. Lines may
/// end without a carriage return (RFC 9112, section 2.2).
std::optional<std::size_t> head_end(std::string_view bytes) {
  std::optional<std::size_t> first;
  for (const std::string_view end : {"\n\r\n", "\n\n"}) {
    const std::size_t at = bytes.find(end);
    if (at != std::string_view::npos && (!first || at + end.size() < *first)) {
      first = at + end.size();
    }
  }
  return first;
}

}  // namespace

class TlsProxy::Loop {
 public:
  Loop(std::vector<ListenAddress> addresses, StreamSource stream, std::size_t max_clients,
       const Log& log)
      : addresses_(std::move(addresses)),
        make_stream_(std::move(stream)),
        max_clients_(max_clients),
        log_(log) {
    for (ListenAddress& address : addresses_) {
      listening_.push_back(listen_on(address));
      address.port = port_of(listening_.back().get());
    }
    wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) {
      throw std::system_error(errno, std::generic_category(), "eventfd");
    }
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { stop(); }

  std::vector<ListenAddress> addresses() const { return addresses_; }

  void start(std::uint16_t server_port) {
    server_port_ = server_port;
    thread_ = std::jthread([this] { run(); });
  }

  std::optional<std::string> client_for_connection(const std::string& address, int port) const {
    const std::lock_guard lock(mutex_);
    const auto found = asking_.find(port);
    return address == "127.0.0.1" && found != asking_.end() ? std::optional(found->second)
                                                            : std::nullopt;
  }

  void stop_listening() { ask(asked_not_to_listen); }

  void stop() {
    ask(asked_to_end);
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  enum class Phase {
    opening,
    request,  ///< until the head is whole
    answer,
    refusal,  ///< the last words
    goodbye,  ///< until the client has closed, too
  };

  struct Client {
    UniqueFd fd;
    std::string peer;
    std::unique_ptr<ClientStream> stream;
    Phase phase = Phase::opening;
    std::optional<Clock::time_point> end;
    short events = POLLIN;  ///< what the next step for the client waits for
    UniqueFd server;
    int server_port = 0;  ///< of this end of the connection to the server
    std::string head;
    std::size_t head_sent = 0;
    std::string answer;  ///< what the client has not taken yet
    bool answer_is_whole = false;
  };
  using Clients = std::list<Client>;

  static constexpr int asked_not_to_listen = 1;
  static constexpr int asked_to_end = 2;

  void ask(int what) {
    asked_ = std::max<int>(asked_, what);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }

  void run() {
    while (true) {
      try {
        if (asked_ >= asked_not_to_listen) {
          listening_.clear();
          clients_.remove_if([this](const Client& client) {
            return asked_ >= asked_to_end ? client.phase != Phase::answer
                                          : client.phase < Phase::answer;
          });
        }
        if (asked_ >= asked_to_end && clients_.empty()) {
          return;
        }
        turn();
      } catch (const std::exception& error) {
        // Out of memory: those that are served now are the ones to give up.
        log_.error("clients were given up", {{"error", error.what()}});
        close_all();
      }
    }
  }

  /// Waits for something to happen, and does what can be done.
  void turn() {
    std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}};
    for (const UniqueFd& fd : listening_) {
      polled.push_back(
          {fd.get(), static_cast<short>(accept_after_ <= Clock::now() ? POLLIN : 0), 0});
    }
    for (const Client& client : clients_) {
      polled.push_back({client.fd.get(), client.events, 0});
      // Not even told of a hang-up while nothing is wanted of it: that would never cease.
      const short events = upstream_events(client);
      polled.push_back({events != 0 ? client.server.get() : -1, events, 0});
    }
    ::poll(polled.data(), polled.size(), poll_timeout_ms());

    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = ::read(wake_.get(), &count, sizeof count);
    auto at = polled.begin() + 1;
    std::vector<int> ready;
    for (const UniqueFd& fd : listening_) {
      if ((at++)->revents != 0) {
        ready.push_back(fd.get());
      }
    }
    const auto now = Clock::now();
    for (auto client = clients_.begin(); client != clients_.end();) {
      const bool is_gone =
          client->phase == Phase::answer && (at[0].revents & (POLLERR | POLLHUP)) != 0;
      const bool is_ready = at[0].revents != 0 || at[1].revents != 0;
      at += 2;
      const bool is_late = client->end && *client->end <= now;
      const auto next = std::next(client);
      if (is_late || is_gone || (is_ready && !serve(*client))) {
        forget(client);
      }
      client = next;
    }
    for (const int fd : ready) {
      accept_clients(fd);
    }
    trim_heap();
  }

  /// What a crowd leaves behind is more than the next scrape needs.
  void trim_heap() {
    constexpr std::size_t crowd = 32;
    peak_clients_ = std::max(peak_clients_, clients_.size());
    if (clients_.empty() && std::exchange(peak_clients_, 0) > crowd) {
      malloc_trim(0);
    }
  }

  static short upstream_events(const Client& client) {
    if (client.phase != Phase::answer) {
      return 0;
    }
    if (client.head_sent < client.head.size()) {
      return POLLOUT;
    }
    return client.answer.empty() && !client.answer_is_whole ? POLLIN : 0;
  }

  int poll_timeout_ms() const {
    std::optional<Clock::time_point> first;
    for (const Client& client : clients_) {
      if (client.end && (!first || *client.end < *first)) {
        first = client.end;
      }
    }
    if (accept_after_ > Clock::now() && (!first || accept_after_ < *first)) {
      first = accept_after_;
    }
    if (!first) {
      return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void accept_clients(int listening) {
    // Those who connect without end must not keep the others waiting.
    for (std::size_t taken = 0; taken < max_accepts_per_round; ++taken) {
      UniqueFd fd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          // The socket stays ready: look again a little later, or when somebody has left.
          constexpr std::chrono::milliseconds pause{100};
          accept_after_ = Clock::now() + pause;
          close_oldest_idle();
        }
        return;
      }
      if (clients_.size() >= max_clients_ && !close_oldest_idle()) {
        continue;  // closes it
      }
      Client client;
      client.peer = peer_of(fd.get());
      client.fd = std::move(fd);
      try {
        client.stream = make_stream_(client.fd.get());
      } catch (const std::runtime_error& error) {
        tell_failure(client, error.what());
        continue;
      }
      client.end = Clock::now() + request_timeout;
      clients_.push_back(std::move(client));
    }
  }

  /// One that has not yet asked for anything makes room for one that may.
  bool close_oldest_idle() {
    const auto idle = std::ranges::find_if(
        clients_, [](const Client& client) { return client.phase != Phase::answer; });
    if (idle == clients_.end()) {
      return false;
    }
    forget(idle);
    return true;
  }

  void forget(Clients::iterator client) {
    disown(*client);
    clients_.erase(client);
  }

  void close_all() {
    while (!clients_.empty()) {
      forget(clients_.begin());
    }
  }

  void disown(Client& client) {
    if (client.server_port != 0) {
      const std::lock_guard lock(mutex_);
      asking_.erase(client.server_port);
      client.server_port = 0;
    }
  }

  /// Does what can be done for a client; false where it is to be forgotten.
  bool serve(Client& client) {
    switch (client.phase) {
      case Phase::opening:
        return open(client);
      case Phase::request:
        return read_request(client);
      case Phase::answer:
        return relay(client);
      case Phase::refusal:
        return refuse(client);
      default:
        return lingering_close(client);
    }
  }

  /// Whether the step came to its end; sets what to wait for where it did not.
  static bool is_done(Client& client, Step step) {
    if (step == Step::wait) {
      client.events = client.stream->events();
    }
    return step == Step::done;
  }

  bool open(Client& client) {
    const Step step = client.stream->open();
    if (is_done(client, step)) {
      client.phase = Phase::request;
      return read_request(client);
    }
    if (step == Step::wait) {
      return true;
    }
    const std::string why = client.stream->failure();
    if (why.empty()) {
      return false;
    }
    tell_failure(client, why);
    client.answer = client.stream->rejection_response();
    client.phase = Phase::refusal;
    return refuse(client);
  }

  bool read_request(Client& client) {
    while (true) {
      std::array<char, 4096> buffer{};
      const auto [step, n] = client.stream->read(buffer);
      if (!is_done(client, step)) {
        return step == Step::wait;
      }
      client.head.append(buffer.data(), n);
      if (const auto end = head_end(client.head)) {
        client.head.resize(*end);
        return connect_upstream(client);
      }
      if (client.head.size() > max_header_bytes) {
        return connect_upstream(client);  // to hear why that is too much
      }
    }
  }

  bool connect_upstream(Client& client) {
    client.server = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // So that a client that reads slowly holds up the server, which then gives it up.
    ::setsockopt(client.server.get(), SOL_SOCKET, SO_RCVBUF, &server_buffer_bytes,
                 sizeof server_buffer_bytes);
    const sockaddr_in name = loopback(server_port_);
    if (!client.server || (::connect(client.server.get(), reinterpret_cast<const sockaddr*>(&name),
                                     sizeof name) != 0 &&
                           errno != EINPROGRESS)) {
      tell_failure(client,
                   std::string("the HTTP server cannot be reached: ") + std::strerror(errno));
      return false;
    }
    client.server_port = port_of(client.server.get());
    {
      const std::lock_guard lock(mutex_);
      asking_.emplace(client.server_port, client.peer);
    }
    client.phase = Phase::answer;
    // What else the client sends is left where it is; its end of the connection is told anyway.
    client.events = 0;
    return true;
  }

  bool relay(Client& client) {
    if (client.head_sent < client.head.size() && !send_head(client)) {
      return false;
    }
    while (true) {
      while (!client.answer.empty()) {
        const auto [step, n] = client.stream->write(client.answer);
        if (!is_done(client, step)) {
          return step == Step::wait;
        }
        client.answer.erase(0, n);
      }
      client.events = 0;
      if (client.answer_is_whole) {
        return finish(client);
      }
      const Step step = read_answer(client);
      if (step != Step::done) {
        return step == Step::wait;
      }
    }
  }

  static bool send_head(Client& client) {
    const ssize_t n = ::send(client.server.get(), client.head.data() + client.head_sent,
                             client.head.size() - client.head_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    client.head_sent += static_cast<std::size_t>(n);
    if (client.head_sent == client.head.size()) {
      // A body is not passed on, and the server shall not wait for one.
      ::shutdown(client.server.get(), SHUT_WR);
      // The server has deadlines of its own for what it asks the kernel.
      client.end.reset();
    }
    return true;
  }

  static Step read_answer(Client& client) {
    client.answer.resize(piece_bytes);
    const ssize_t n = ::recv(client.server.get(), client.answer.data(), piece_bytes, MSG_DONTWAIT);
    const int error = errno;
    client.answer.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    if (n < 0) {
      return error == EAGAIN || error == EINTR ? Step::wait : Step::failed;
    }
    if (!client.end) {
      client.end = Clock::now() + response_timeout;
    }
    client.answer_is_whole = n == 0;
    return Step::done;
  }

  bool refuse(Client& client) {
    if (client.answer.empty()) {
      return begin_lingering_close(client);
    }
    client.events = POLLOUT;
    const ssize_t n = ::send(client.fd.get(), client.answer.data(), client.answer.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    client.answer.erase(0, static_cast<std::size_t>(n));
    return !client.answer.empty() || begin_lingering_close(client);
  }

  bool finish(Client& client) {
    const Step step = client.stream->close();
    return is_done(client, step) || step == Step::failed ? begin_lingering_close(client) : true;
  }

  bool begin_lingering_close(Client& client) {
    disown(client);
    client.server = UniqueFd();
    ::shutdown(client.fd.get(), SHUT_WR);
    client.phase = Phase::goodbye;
    client.end = Clock::now() + lingering_close_timeout;
    client.events = POLLIN;
    return true;
  }

  static bool lingering_close(Client& client) {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::recv(client.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
  }

  void tell_failure(const Client& client, const std::string& why) {
    const std::optional<unsigned> suppressed = failures_.try_acquire();
    if (!suppressed) {
      log_.debug("client not served", {{"client", client.peer}, {"error", why}});
      return;
    }
    log_.warn(
        "client not served",
        {{"client", client.peer}, {"error", why}, {"suppressed", std::to_string(*suppressed)}});
  }

  std::vector<ListenAddress> addresses_;
  StreamSource make_stream_;
  const std::size_t max_clients_;
  const Log& log_;
  std::vector<UniqueFd> listening_;
  UniqueFd wake_;
  std::uint16_t server_port_ = 0;
  std::atomic<int> asked_ = 0;
  Clients clients_;  ///< the oldest first
  std::size_t peak_clients_ = 0;
  Clock::time_point accept_after_;
  LogRateLimiter failures_;
  mutable std::mutex mutex_;
  std::map<int, std::string> asking_;  ///< the clients, by the port from which the server is asked
  std::jthread thread_;
};

TlsProxy::TlsProxy(const std::vector<ListenAddress>& addresses, StreamSource stream,
                   std::size_t max_clients, const Log& log)
    : loop_(std::make_unique<Loop>(addresses, std::move(stream), max_clients, log)) {}

TlsProxy::~TlsProxy() = default;

std::vector<ListenAddress> TlsProxy::addresses() const { return loop_->addresses(); }

void TlsProxy::start(std::uint16_t server_port) { loop_->start(server_port); }

std::optional<std::string> TlsProxy::client_for_connection(const std::string& address,
                                                           int port) const {
  return loop_->client_for_connection(address, port);
}

void TlsProxy::stop_listening() { loop_->stop_listening(); }

void TlsProxy::stop() { loop_->stop(); }

}  // namespace inetdiag
