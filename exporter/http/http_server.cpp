#include "exporter/http/http_server.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <civetweb.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collectors/kernel/base/random.h"
#include "collectors/kernel/base/text.h"
#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/client_limit.h"
#include "exporter/http/listen_address.h"
#include "exporter/http/thread_stack.h"

namespace inetdiag {
namespace {

// Connections that wait for a thread; the proxy opens no more than there are threads.
constexpr const char* connection_queue = "16";
constexpr int upstream_backlog = 1024;
// For the request header, and for each write of the response.
constexpr const char* request_timeout_ms = "2000";
// A page up to this size is sent with its header in one call.
constexpr std::size_t max_copied_bytes = 32768;

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

/// An address for the socket that CivetWeb insists on opening. Not one of port 0: the kernel has
/// none to give when the ephemeral ports are exhausted. `any` is for a host without the loopback
/// device.
ListenAddress temporary_address(bool any) {
  constexpr unsigned first_port = 1024;
  constexpr unsigned ports = 30'000;
  const auto number = kernel::random_number();
  std::string host;
  if (!any) {
    host = fmt::format("127.{}.{}.{}", number >> 56U, number >> 48U & 0xffU,
                       1 + (number >> 40U) % 254);
  }
  return {.host = host, .port = static_cast<std::uint16_t>(first_port + number % ports)};
}

/// Returns the descriptor of the socket that listens on this address. Throws std::runtime_error.
int find_listening_socket(const ListenAddress& address) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  in_addr host{};
  inet_pton(AF_INET, address.host.empty() ? "0.0.0.0" : address.host.c_str(), &host);
  for (int fd = 0; static_cast<rlim_t>(fd) < limit.rlim_cur; ++fd) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
        name.sin_family == AF_INET && ntohs(name.sin_port) == address.port &&
        name.sin_addr.s_addr == host.s_addr) {
      return fd;
    }
  }
  throw std::runtime_error("cannot find the socket of the HTTP server");
}

/// Listens on an abstract address that the kernel chooses (unix(7), "Autobind feature"). Throws
/// std::system_error.
kernel::UniqueFd listen_on_unix_address(Upstream& upstream) {
  kernel::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  upstream.address.sun_family = AF_UNIX;
  upstream.address_length = sizeof upstream.address;
  auto* const name = reinterpret_cast<sockaddr*>(&upstream.address);
  if (!fd || ::bind(fd.get(), name, sizeof upstream.address.sun_family) != 0 ||
      ::listen(fd.get(), upstream_backlog) != 0 ||
      ::getsockname(fd.get(), name, &upstream.address_length) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "cannot listen for requests within this process");
  }
  return fd;
}

std::string random_token() {
  return fmt::format("{:016x}{:016x}", kernel::random_number(), kernel::random_number());
}

}  // namespace

/// Passed to CivetWeb's callbacks by address.
class HttpServer::Civet {
 public:
  Civet(HttpHandler handler, const Log& log, std::function<void()> before_threads)
      : handler_(std::move(handler)), before_threads_(std::move(before_threads)), log_(log) {
    require_threads();
    upstream_.token = random_token();
    // The first call initializes glibc's heap if a sanitizer replaces it, which is not thread-safe.
    malloc_trim(0);
    mg_init_library(0);
    constexpr int attempts = 10;
    for (int i = 0; i < attempts && context_ == nullptr; ++i) {
      temporary_ = temporary_address(i >= attempts / 2);
      context_ = start_civetweb();
    }
    if (context_ == nullptr) {
      mg_exit_library();
      throw std::runtime_error("cannot start the HTTP server; see the log with --log.level=debug");
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
    shut_down_socket();
    // mg_stop() truncates responses in progress.
    is_serving_ = false;
    for (unsigned responding = responding_; responding != 0; responding = responding_) {
      responding_.wait(responding);
    }
    mg_stop(context_);
    mg_exit_library();
  }

  const Upstream& upstream() const { return upstream_; }

 private:
  /// Returns nullptr if it cannot listen on the temporary address.
  mg_context* start_civetweb() {
    const std::string port =
        temporary_.host.empty() ? std::to_string(temporary_.port) : temporary_.text();
    const std::string thread_count = std::to_string(HttpServer::threads);
    mg_callbacks callbacks{};
    callbacks.begin_request = &Civet::on_request;
    callbacks.log_message = &Civet::on_message;
    callbacks.init_context = &Civet::on_bound;
    callbacks.http_error = &Civet::on_error;
    callbacks.init_thread = &Civet::on_thread;
    callbacks.end_request = &Civet::on_response;
    const std::array<const char*, 15> options = {"listening_ports",
                                                 port.c_str(),
                                                 "num_threads",
                                                 thread_count.c_str(),
                                                 "connection_queue",
                                                 connection_queue,
                                                 "request_timeout_ms",
                                                 request_timeout_ms,
                                                 "enable_keep_alive",
                                                 "no",
                                                 "access_control_allow_origin",
                                                 "",
                                                 "access_control_allow_methods",
                                                 "",
                                                 nullptr};
    return mg_start(&callbacks, this, const_cast<const char**>(options.data()));
  }

  static Civet& self(const mg_connection* connection) {
    return *static_cast<Civet*>(mg_get_user_data(mg_get_context(connection)));
  }

  static int on_request(mg_connection* connection) { return self(connection).respond(connection); }

  /// Returns what mg_get_thread_pointer() returns later. The threads take turns, and each would
  /// keep the pages that its deepest call touched.
  static void* on_thread(const mg_context* /*context*/, int /*type*/) {
    void* const bottom = stack_bottom();
    release_unused_stack(bottom);
    return bottom;
  }

  static void on_response(const mg_connection* connection, int /*status*/) {
    release_unused_stack(mg_get_thread_pointer(connection));
  }

  /// Called once CivetWeb listens and before a thread starts. CivetWeb can neither listen on a UNIX
  /// socket nor take a socket that it did not open: replaces its own.
  static void on_bound(const mg_context* context) {
    Civet& civet = *static_cast<Civet*>(mg_get_user_data(context));
    try {
      civet.listening_ = find_listening_socket(civet.temporary_);
      // Released after the call: it may refer to objects that do not outlive the constructor.
      if (const auto hook = std::exchange(civet.before_threads_, nullptr)) {
        hook();
      }
      // Landlock allows connections to abstract addresses of its own domain only.
      const kernel::UniqueFd unix_socket = listen_on_unix_address(civet.upstream_);
      if (::dup3(unix_socket.get(), civet.listening_, O_CLOEXEC) < 0) {
        throw std::system_error(errno, std::generic_category(), "dup3");
      }
      civet.is_serving_ = true;
    } catch (...) {
      civet.failure_ = std::current_exception();
      // CivetWeb starts its threads in any case.
      civet.shut_down_socket();
    }
  }

  /// Accepts no more clients. Also wakes CivetWeb, which otherwise checks for a stop only every two
  /// seconds.
  void shut_down_socket() const {
    if (listening_ >= 0) {
      ::shutdown(listening_, SHUT_RDWR);
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
    write(connection, header_of(connection, response).append(response.body));
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
    const std::string field = text(mg_get_header(connection, Upstream::client_header));
    std::string_view client = field;
    if (kernel::cut(client, ' ') != upstream_.token) {
      return send_error(connection, 403, "this socket is for the exporter's own connections only");
    }
    const bool is_head = text(info->request_method) == "HEAD";
    const HttpRequest request{
        .method = is_head ? "GET" : text(info->request_method),
        .path = text(info->local_uri),
        .query = text(info->query_string),
        .header = [&](const char* name) { return text(mg_get_header(connection, name)); },
        .client = std::string(client)};
    const HttpResponse response = response_to(request);
    const std::string_view body = is_head ? std::string_view() : response.body;
    std::string first = header_of(connection, response);
    if (body.size() <= max_copied_bytes) {
      first.append(body);
      write(connection, first);
    } else {
      write(connection, first);
      write(connection, body);
    }
    return response.status;
  }

  static void write(mg_connection* connection, std::string_view bytes) {
    mg_write(connection, bytes.data(), bytes.size());
  }

  HttpHandler handler_;
  std::function<void()> before_threads_;
  const Log& log_;
  Upstream upstream_;
  ListenAddress temporary_;
  std::exception_ptr failure_;
  int listening_ = -1;  ///< CivetWeb's
  std::atomic<unsigned> responding_ = 0;
  std::atomic<bool> is_serving_ = false;  ///< from the success of before_threads to the stop
  mg_context* context_ = nullptr;
};

HttpServer::HttpServer(HttpHandler handler, const Log& log, std::function<void()> before_threads)
    : civet_(std::make_unique<Civet>(std::move(handler), log, std::move(before_threads))) {}

HttpServer::~HttpServer() = default;

const Upstream& HttpServer::upstream() const { return civet_->upstream(); }

void HttpServer::stop() { civet_.reset(); }

}  // namespace inetdiag
