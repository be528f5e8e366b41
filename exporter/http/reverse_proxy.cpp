#include "exporter/http/reverse_proxy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <list>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/listen_socket.h"
#include "exporter/http/proxied_client.h"

namespace inetdiag {
namespace {

using Clock = ProxiedClient::Clock;
using kernel::UniqueFd;

// A flood of connections must not delay the clients that are already accepted.
constexpr std::size_t max_accepts_per_poll = 64;
// Delay after accept() or poll() failed, during which the socket stays readable.
constexpr std::chrono::milliseconds retry_delay{100};

std::string peer_name(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
      address.ss_family == AF_UNIX) {
    return "unix";
  }
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(),
                    port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "unknown";
  }
  return std::string(host.data()) + " port " + port.data();
}

}  // namespace

class ReverseProxy::Loop {
 public:
  Loop(std::vector<UniqueFd> listening, StreamFactory make_stream, std::size_t max_clients,
       const Log& log)
      : make_stream_(std::move(make_stream)),
        max_clients_(max_clients),
        log_(log),
        context_(log),
        listening_(std::move(listening)) {
    for (const UniqueFd& fd : listening_) {
      addresses_.push_back(local_address(fd.get()));
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

  void start(const Upstream& upstream, std::size_t max_connections) {
    context_.upstream = upstream;
    context_.free_connections = max_connections;
    thread_ = std::jthread([this] { run(); });
  }

  void stop_listening() { request(Shutdown::stop_listening); }

  void stop() {
    request(Shutdown::stop);
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  using Clients = std::list<ProxiedClient>;

  enum class Shutdown { none, stop_listening, stop };

  void request(Shutdown shutdown) {
    shutdown_ = std::max(shutdown_.load(), shutdown);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }

  void run() {
    while (true) {
      try {
        if (shutdown_ != Shutdown::none) {
          listening_.clear();
          // At the stop the HTTP server has stopped, and does not close connections that it had
          // queued.
          clients_.remove_if([is_stopping = shutdown_ == Shutdown::stop](ProxiedClient& client) {
            return is_stopping ? !client.end_response() : client.is_sending_request();
          });
        }
        if (shutdown_ == Shutdown::stop && clients_.empty()) {
          return;
        }
        poll_once();
      } catch (const std::exception& error) {
        // Out of memory: free the clients' buffers.
        log_.error("closing all clients of the proxy", {{"error", error.what()}});
        clients_.clear();
      }
    }
  }

  void poll_once() {
    std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}};
    // poll() ignores -1. It would report an error of the socket whatever the requested events.
    const bool accepts = accept_after_ <= Clock::now();
    for (const UniqueFd& fd : listening_) {
      polled.push_back({accepts ? fd.get() : -1, POLLIN, 0});
    }
    // poll() fails with more entries than RLIMIT_NOFILE.
    for (const ProxiedClient& client : clients_) {
      std::ranges::copy_if(client.poll_fds(), std::back_inserter(polled),
                           [](const pollfd& entry) { return entry.fd >= 0; });
    }
    if (::poll(polled.data(), polled.size(), poll_timeout_ms()) < 0) {
      std::this_thread::sleep_for(retry_delay);  // ENOMEM, or EINVAL below RLIMIT_NOFILE
    }

    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = ::read(wake_.get(), &count, sizeof count);
    auto next = polled.begin() + 1;
    std::vector<int> acceptable;
    for (std::size_t i = 0; i < listening_.size(); ++i, ++next) {
      if (next->revents != 0) {
        acceptable.push_back(next->fd);
      }
    }
    const auto now = Clock::now();
    for (auto client = clients_.begin(); client != clients_.end();) {
      ProxiedClient::PollFds ready = client->poll_fds();
      for (pollfd& entry : ready) {
        if (entry.fd >= 0) {
          entry.revents = (next++)->revents;
        }
      }
      client = client->handle_events(ready, now) ? std::next(client) : clients_.erase(client);
    }
    forward_requests();
    for (const int fd : acceptable) {
      accept_clients(fd);
    }
    trim_heap();
  }

  void forward_requests() {
    for (auto client = clients_.begin();
         client != clients_.end() && context_.free_connections > 0;) {
      const bool is_kept = !client->has_request() || client->forward_request();
      client = is_kept ? std::next(client) : clients_.erase(client);
    }
  }

  /// Returns memory to the system after many clients have disconnected.
  void trim_heap() {
    constexpr std::size_t many_clients = 32;
    peak_clients_ = std::max(peak_clients_, clients_.size());
    if (clients_.empty() && std::exchange(peak_clients_, 0) > many_clients) {
      malloc_trim(0);
    }
  }

  int poll_timeout_ms() const {
    std::optional<Clock::time_point> first;
    for (const ProxiedClient& client : clients_) {
      if (client.deadline() && (!first || *client.deadline() < *first)) {
        first = client.deadline();
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
    for (std::size_t accepted = 0; accepted < max_accepts_per_poll; ++accepted) {
      UniqueFd fd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd) {
        handle_accept_error(listening, errno);
        return;
      }
      if (clients_.size() >= max_clients_ && !close_oldest_idle()) {
        continue;  // closes fd
      }
      std::string name = peer_name(fd.get());
      try {
        auto stream = make_stream_(fd.get());
        clients_.emplace_back(std::move(fd), std::move(name), std::move(stream), context_);
      } catch (const std::runtime_error& error) {
        context_.log_failure(name, error.what());
      }
    }
  }

  void handle_accept_error(int listening, int error) {
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      accept_after_ = Clock::now() + retry_delay;
      close_oldest_idle();
    } else if (error == EINVAL) {  // it does not listen any more, and poll() always returns it
      const auto socket = std::ranges::find(listening_, listening, &UniqueFd::get);
      log_.error("a listening socket was destroyed, as `ss -K` does; restart the exporter",
                 {{"remaining", std::to_string(listening_.size() - 1)}});
      listening_.erase(socket);
    }
  }

  /// Closes the oldest client without a complete request, or with a response that it has taken.
  /// Returns false if there is none.
  bool close_oldest_idle() {
    const auto idle = std::ranges::find_if_not(clients_, &ProxiedClient::is_served);
    if (idle == clients_.end()) {
      return false;
    }
    clients_.erase(idle);
    return true;
  }

  std::vector<ListenAddress> addresses_;
  StreamFactory make_stream_;
  const std::size_t max_clients_;
  const Log& log_;
  ProxyContext context_;
  std::vector<UniqueFd> listening_;
  UniqueFd wake_;
  std::atomic<Shutdown> shutdown_ = Shutdown::none;
  Clients clients_;  ///< the oldest first
  std::size_t peak_clients_ = 0;
  Clock::time_point accept_after_;
  std::jthread thread_;
};

ReverseProxy::ReverseProxy(std::vector<UniqueFd> listening, StreamFactory make_stream,
                           std::size_t max_clients, const Log& log)
    : loop_(
          std::make_unique<Loop>(std::move(listening), std::move(make_stream), max_clients, log)) {}

ReverseProxy::~ReverseProxy() = default;

std::vector<ListenAddress> ReverseProxy::addresses() const { return loop_->addresses(); }

void ReverseProxy::start(const Upstream& upstream, std::size_t max_connections) {
  loop_->start(upstream, max_connections);
}

void ReverseProxy::stop_listening() { loop_->stop_listening(); }

void ReverseProxy::stop() { loop_->stop(); }

}  // namespace inetdiag
