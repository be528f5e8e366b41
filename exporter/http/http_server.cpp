#include "exporter/http/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <exception>
#include <filesystem>
#include <iterator>
#include <set>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <civetweb.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/client_limit.h"
#include "exporter/http/listen_socket.h"
#include "exporter/http/thread_stack.h"

namespace inetdiag {
namespace {

// Maximum number of connections that wait for a thread, in CivetWeb and in the kernel.
constexpr const char* connection_queue = "16";
constexpr const char* listen_backlog = "1024";
// For the request header, and for each write of the response.
constexpr const char* request_timeout_ms = "5000";
// For the complete response, checked before each chunk.
constexpr std::chrono::seconds response_timeout{10};
constexpr std::size_t chunk_bytes = 16384;

std::string civet_port(const ListenAddress& address) {
  const std::string port = std::to_string(address.port);
  return address.host.empty() ? port : address.host + ":" + port;
}

std::string civet_ports(const std::vector<ListenAddress>& addresses) {
  std::string ports;
  for (const ListenAddress& address : addresses) {
    ports.append(ports.empty() ? "" : ",").append(civet_port(address));
  }
  return ports;
}

/// The current time as an HTTP-date (RFC 9110, section 5.6.7).
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  gmtime_r(&now, &time);
  std::array<char, 32> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  return {text.data(), length};
}

std::string header_of(const mg_connection* connection, const HttpResponse& response) {
  std::string header = "HTTP/1.1 " + std::to_string(response.status) + " " +
                       mg_get_response_code_text(connection, response.status);
  const auto add = [&](std::string_view name, std::string_view value) {
    header.append("\r\n").append(name).append(": ").append(value);
  };
  add("Date", http_date());
  add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(response.body.size()));
  add("X-Content-Type-Options", "nosniff");
  add("Connection", "close");
  for (const auto& [name, value] : response.headers) {
    add(name, value);
  }
  return header.append("\r\n\r\n");
}

/// The listening sockets of this process; none if /proc is not mounted.
std::set<int> listening_descriptors() {
  std::set<int> listening;
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    const auto fd = kernel::to_number<int>(entry->path().filename().native());
    int is_listening = 0;
    socklen_t size = sizeof is_listening;
    if (fd && ::getsockopt(*fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 &&
        is_listening != 0) {
      listening.insert(*fd);
    }
  }
  return listening;
}

}  // namespace

/// Passed to CivetWeb's callbacks by address.
class HttpServer::Civet {
 public:
  Civet(const std::vector<ListenAddress>& addresses, HttpHandler handler, const Log& log,
        HttpServer::Hooks hooks)
      : requested_(addresses), handler_(std::move(handler)), hooks_(std::move(hooks)), log_(log) {
    const std::string threads = std::to_string(max_concurrent_clients(
        HttpServer::max_clients, hooks_.descriptors_per_client,
        HttpServer::descriptors_per_address * addresses.size() + hooks_.other_listening));
    const std::string ports = civet_ports(addresses);
    foreign_listening_ = listening_descriptors();
    // The first call initializes glibc's heap if a sanitizer replaces it, which is not thread-safe.
    malloc_trim(0);
    mg_init_library(0);
    mg_callbacks callbacks{};
    callbacks.begin_request = &Civet::on_request;
    callbacks.log_message = &Civet::on_message;
    callbacks.init_context = &Civet::on_bound;
    callbacks.http_error = &Civet::on_error;
    callbacks.init_thread = &Civet::on_thread;
    callbacks.end_request = &Civet::on_response;
    const std::array<const char*, 17> options = {"listening_ports",
                                                 ports.c_str(),
                                                 "num_threads",
                                                 threads.c_str(),
                                                 "connection_queue",
                                                 connection_queue,
                                                 "listen_backlog",
                                                 listen_backlog,
                                                 "request_timeout_ms",
                                                 request_timeout_ms,
                                                 "enable_keep_alive",
                                                 "no",
                                                 "access_control_allow_origin",
                                                 "",
                                                 "access_control_allow_methods",
                                                 "",
                                                 nullptr};
    context_ = mg_start(&callbacks, this, const_cast<const char**>(options.data()));
    if (context_ == nullptr) {
      mg_exit_library();
      throw std::runtime_error(listen_error());
    }
    if (failure_) {
      mg_stop(context_);
      mg_exit_library();
      std::rethrow_exception(failure_);
    }
  }
  Civet(const Civet&) = delete;
  Civet& operator=(const Civet&) = delete;
  ~Civet() {
    shut_down_sockets();
    // mg_stop() truncates responses in progress.
    is_serving_ = false;
    for (unsigned responding = responding_; responding != 0; responding = responding_) {
      responding_.wait(responding);
    }
    mg_stop(context_);
    mg_exit_library();
  }

  std::vector<ListenAddress> addresses() const { return addresses_of(context_); }

 private:
  std::vector<ListenAddress> addresses_of(const mg_context* context) const {
    std::vector<mg_server_port> ports(requested_.size());
    const int count = mg_get_server_ports(context, static_cast<int>(ports.size()), ports.data());
    std::vector<ListenAddress> bound = requested_;
    for (std::size_t i = 0; i < bound.size() && i < static_cast<std::size_t>(count); ++i) {
      bound[i].port = static_cast<std::uint16_t>(ports[i].port);
    }
    return bound;
  }

  static Civet& self(const mg_connection* connection) {
    return *static_cast<Civet*>(mg_get_user_data(mg_get_context(connection)));
  }

  static int on_request(mg_connection* connection) { return self(connection).respond(connection); }

  /// Returns what mg_get_thread_pointer() returns later. Up to 256 threads take turns, and each
  /// would keep the pages that its deepest call touched.
  static void* on_thread(const mg_context* /*context*/, int /*type*/) {
    void* const bottom = stack_bottom();
    release_unused_stack(bottom);
    return bottom;
  }

  static void on_response(const mg_connection* connection, int /*status*/) {
    release_unused_stack(mg_get_thread_pointer(connection));
  }

  /// Called once the sockets listen and before a thread starts.
  static void on_bound(const mg_context* context) {
    Civet& civet = *static_cast<Civet*>(mg_get_user_data(context));
    try {
      civet.find_sockets();
      // Release the hook after the call: it may refer to objects that do not outlive the
      // constructor.
      const auto hook = std::exchange(civet.hooks_.before_threads, nullptr);
      if (hook) {
        hook(civet.addresses_of(context));
      }
      civet.is_serving_ = true;
    } catch (...) {
      civet.failure_ = std::current_exception();
      // CivetWeb starts its threads in any case.
      civet.shut_down_sockets();
    }
  }

  /// Sets sockets_ to duplicates of the listening sockets that CivetWeb opened. Other sockets may
  /// have the same ports: sockets of the proxy, or inherited sockets.
  void find_sockets() {
    std::vector<int> opened;
    std::ranges::set_difference(listening_descriptors(), foreign_listening_,
                                std::back_inserter(opened));
    sockets_.reserve(opened.size());
    for (const int fd : opened) {
      sockets_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    }
  }

  /// Accepts no more clients. Also wakes CivetWeb, which otherwise checks for a stop only every two
  /// seconds.
  void shut_down_sockets() {
    for (const kernel::UniqueFd& fd : sockets_) {
      ::shutdown(fd.get(), SHUT_RDWR);
    }
  }

  /// Replaces CivetWeb's own error page, which calls the thread-unsafe gmtime().
  static int on_error(mg_connection* connection, int status, const char* message) {
    try {
      send_error(connection, status, message);
    } catch (...) {
      self(connection).log_.error("out of memory for a response");
    }
    return 0;
  }

  static int on_message(const mg_connection* connection, const char* message) {
    try {
      self(connection).log_.debug("http server", {{"event", message}});
    } catch (...) {  // NOLINT(bugprone-empty-catch): out of memory
    }
    return 1;
  }

  HttpResponse response_to(const HttpRequest& request) const {
    try {
      return handler_(request);
    } catch (const std::exception& error) {
      log_.error("request failed", {{"path", request.path}, {"error", error.what()}});
      return {.status = 500, .body = std::string("internal error: ") + error.what() + "\n"};
    }
  }

  static int send_error(mg_connection* connection, int status, const std::string& message) {
    const HttpResponse response{.status = status, .body = message + "\n"};
    write(connection, header_of(connection, response).append(response.body),
          std::chrono::steady_clock::now() + response_timeout);
    return status;
  }

  /// No exception may reach CivetWeb, which is C. It continues with the request if this returns 0.
  int respond(mg_connection* connection) {
    ++responding_;
    int status = 500;
    try {
      // Count it first: either the destructor waits for this response, or the response is not
      // started.
      if (is_serving_) {
        status = handle(connection);
      }
    } catch (...) {
      log_.error("out of memory for a response");
    }
    --responding_;
    responding_.notify_all();
    return status;
  }

  int handle(mg_connection* connection) const {
    const mg_request_info* info = mg_get_request_info(connection);
    const auto text = [](const char* value) { return std::string(value != nullptr ? value : ""); };
    const std::string address = text(info->remote_addr);
    const auto client =
        hooks_.client_for_connection
            ? hooks_.client_for_connection(address, info->remote_port, info->server_port)
            : HttpServer::client_name(address, info->remote_port);
    if (!client) {
      return send_error(connection, 403, "this port is for the exporter's own connections only");
    }
    const bool is_head = text(info->request_method) == "HEAD";
    const HttpRequest request{
        .method = is_head ? "GET" : text(info->request_method),
        .path = text(info->local_uri),
        .query = text(info->query_string),
        .header = [&](const char* name) { return text(mg_get_header(connection, name)); },
        .client = *client};
    const HttpResponse response = response_to(request);
    const std::string_view body = is_head ? std::string_view() : response.body;
    // A short response takes one write; a long one is not copied while the client reads slowly.
    std::string first = header_of(connection, response);
    first.append(body.substr(0, chunk_bytes));
    const auto deadline = std::chrono::steady_clock::now() + response_timeout;
    const bool is_sent =
        write(connection, first, deadline) &&
        write(connection, body.substr(std::min(body.size(), chunk_bytes)), deadline);
    if (!is_sent) {
      // Return the memory of many unread responses to the system.
      malloc_trim(0);
    }
    return response.status;
  }

  /// CivetWeb times out a client that reads nothing; the deadline stops one that reads slowly.
  static bool write(mg_connection* connection, std::string_view rest,
                    std::chrono::steady_clock::time_point deadline) {
    while (!rest.empty()) {
      const std::string_view chunk = rest.substr(0, chunk_bytes);
      if (std::chrono::steady_clock::now() >= deadline ||
          mg_write(connection, chunk.data(), chunk.size()) != static_cast<int>(chunk.size())) {
        return false;
      }
      rest.remove_prefix(chunk.size());
    }
    return true;
  }

  /// Returns why CivetWeb cannot listen, by listening on each address.
  std::string listen_error() const {
    for (const ListenAddress& address : requested_) {
      try {
        listen_on(address);
      } catch (const std::runtime_error& error) {
        return error.what();
      }
    }
    return "cannot listen on all addresses at once; remove duplicates of --web.listen-address";
  }

  std::vector<ListenAddress> requested_;
  HttpHandler handler_;
  HttpServer::Hooks hooks_;
  const Log& log_;
  std::exception_ptr failure_;
  std::set<int> foreign_listening_;  ///< descriptors that listened before CivetWeb started
  std::vector<kernel::UniqueFd> sockets_;
  std::atomic<unsigned> responding_ = 0;
  std::atomic<bool> is_serving_ = false;  ///< from the success of before_threads to the stop
  mg_context* context_ = nullptr;
};

HttpServer::HttpServer(const std::vector<ListenAddress>& addresses, HttpHandler handler,
                       const Log& log, Hooks hooks)
    : civet_(std::make_unique<Civet>(addresses, std::move(handler), log, std::move(hooks))) {}

HttpServer::~HttpServer() = default;

std::vector<ListenAddress> HttpServer::addresses() const { return civet_->addresses(); }

std::string HttpServer::client_name(const std::string& address, int port) {
  return address + " port " + std::to_string(port);
}

void HttpServer::stop() { civet_.reset(); }

}  // namespace inetdiag
