#include "exporter/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include <arpa/inet.h>
#include <civetweb.h>
#include <malloc.h>
#include <sys/socket.h>

#include "collectors/kernel/unique_fd.h"
#include "exporter/client_limit.h"

namespace inetdiag {
namespace {

// CivetWeb gives a thread to each connection, from its first byte to its last. So many clients that
// send nothing, or read nothing, delay nobody; a thread that waits costs about 20 KiB.
constexpr unsigned most_clients = 256;
// Those that wait for a thread, in CivetWeb and in the kernel.
constexpr const char* connection_queue = "16";
constexpr const char* listen_backlog = "1024";
// For the whole head of a request, and for each step of the answer that the client takes.
constexpr const char* request_timeout_ms = "5000";
// For the whole answer, told in pieces to see to it.
constexpr std::chrono::seconds longest_send{10};
constexpr std::size_t piece_bytes = 16384;
constexpr unsigned feature_ipv6 = 8;
constexpr std::size_t most_addresses = 64;

std::string civet_port(const ListenAddress& address) {
  const std::string port = std::to_string(address.port);
  if (address.host.empty()) {
    // `+`: one socket for both families.
    return (mg_check_feature(feature_ipv6) != 0U ? "+" : "") + port;
  }
  if (!address.is_ipv6()) {
    return address.host + ":" + port;
  }
  if (mg_check_feature(feature_ipv6) == 0U) {
    throw std::runtime_error("cannot listen on " + address.url() +
                             ": the CivetWeb library of this system is built without IPv6; choose "
                             "an IPv4 address with --web.listen-address");
  }
  return "[" + address.host + "]:" + port;
}

std::string civet_ports(const std::vector<ListenAddress>& addresses) {
  std::string ports;
  for (const ListenAddress& address : addresses) {
    ports.append(ports.empty() ? "" : ",").append(civet_port(address));
  }
  return ports;
}

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 505:
      return "HTTP Version Not Supported";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

/// The date as RFC 9110, section 5.6.7, has it.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  gmtime_r(&now, &time);
  std::array<char, 32> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  return {text.data(), length};
}

std::string head_of(const HttpResponse& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + reason(response.status);
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append("\r\n").append(name).append(": ").append(value);
  };
  add("Date", http_date());
  add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(response.body.size()));
  add("X-Content-Type-Options", "nosniff");
  add("Connection", "close");
  for (const auto& [name, value] : response.headers) {
    add(name, value);
  }
  return head.append("\r\n\r\n");
}

/// Whether the kernel would let a socket listen there, or why not: CivetWeb tells no cause.
std::string why_not(const ListenAddress& address) {
  if (address.is_ipv6()) {
    return "the address cannot be used";
  }
  const kernel::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host.empty() ? "0.0.0.0" : address.host.c_str(), &name.sin_addr);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 &&
      ::listen(fd.get(), 1) == 0) {
    return {};
  }
  const int error = errno;
  std::string why = std::strerror(error);
  if (error == EADDRINUSE) {
    why += "; end the program that has the port, or choose another with --web.listen-address";
  } else if (error == EADDRNOTAVAIL) {
    why += "; this host has no such address, choose another with --web.listen-address";
  }
  return why;
}

}  // namespace

/// What CivetWeb's callbacks need, at an address that does not move.
class HttpServer::Civet {
 public:
  Civet(const std::vector<ListenAddress>& addresses, HttpHandler handler, const Log& log)
      : requested_(addresses), handler_(std::move(handler)), log_(log) {
    const std::string threads = std::to_string(clients_to_hold(most_clients));
    mg_init_library(0);
    mg_callbacks callbacks{};
    callbacks.begin_request = &Civet::on_request;
    callbacks.log_message = &Civet::on_message;
    callbacks.http_error = &Civet::on_error;
    const std::string ports = civet_ports(addresses);
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
      throw std::runtime_error(cannot_listen());
    }
  }
  Civet(const Civet&) = delete;
  Civet& operator=(const Civet&) = delete;
  ~Civet() {
    try {
      const std::jthread waker(
          [bound = addresses()](const std::stop_token& stopped) { wake(bound, stopped); });
      mg_stop(context_);
    } catch (const std::exception&) {
      mg_stop(context_);  // no thread or memory to make it quick
    }
    mg_exit_library();
  }

  std::vector<ListenAddress> addresses() const {
    std::array<mg_server_port, most_addresses> ports{};
    const int count = mg_get_server_ports(context_, static_cast<int>(ports.size()), ports.data());
    std::vector<ListenAddress> bound = requested_;
    for (std::size_t i = 0; i < bound.size() && i < static_cast<std::size_t>(count); ++i) {
      bound[i].port = static_cast<std::uint16_t>(ports[i].port);
    }
    return bound;
  }

 private:
  static Civet& self(const mg_connection* connection) {
    return *static_cast<Civet*>(mg_get_user_data(mg_get_context(connection)));
  }

  static int on_request(mg_connection* connection) { return self(connection).answer(connection); }

  /// What CivetWeb refuses itself. Its own page takes the time from gmtime(), which threads share.
  static int on_error(mg_connection* connection, int status, const char* message) {
    try {
      const HttpResponse response{.status = status, .body = std::string(message) + "\n"};
      write(connection, head_of(response).append(response.body),
            std::chrono::steady_clock::now() + longest_send);
    } catch (...) {
      self(connection).log_.error("no memory for an answer");
    }
    return 0;
  }

  static int on_message(const mg_connection* connection, const char* message) {
    try {
      self(connection).log_.debug("http server", {{"event", message}});
    } catch (...) {
      return 1;  // no memory for it
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

  /// No exception may cross CivetWeb, which is C.
  int answer(mg_connection* connection) {
    ++answering_;
    int status = 500;
    try {
      status = send_answer(connection);
    } catch (...) {
      log_.error("no memory for an answer");
    }
    --answering_;
    answering_.notify_all();
    return status;
  }

  int send_answer(mg_connection* connection) const {
    const mg_request_info* info = mg_get_request_info(connection);
    const auto text = [](const char* value) { return std::string(value != nullptr ? value : ""); };
    const bool is_head = text(info->request_method) == "HEAD";
    const HttpRequest request{
        .method = is_head ? "GET" : text(info->request_method),
        .path = text(info->local_uri),
        .query = text(info->query_string),
        .header = [&](const char* name) { return text(mg_get_header(connection, name)); }};
    const HttpResponse response = response_to(request);
    const std::string_view body = is_head ? std::string_view() : response.body;
    // What is short goes out in one piece; what is long is not held twice while its reader is slow.
    std::string first = head_of(response);
    first.append(body.substr(0, piece_bytes));
    const auto end = std::chrono::steady_clock::now() + longest_send;
    const bool is_taken = write(connection, first, end) &&
                          write(connection, body.substr(std::min(body.size(), piece_bytes)), end);
    if (!is_taken) {
      // Crowds that read nothing leave more behind than the next scrape needs.
      malloc_trim(0);
    }
    return response.status;
  }

  /// CivetWeb gives up a client that takes nothing; one that takes a little now and then, this
  /// does.
  static bool write(mg_connection* connection, std::string_view rest,
                    std::chrono::steady_clock::time_point end) {
    while (!rest.empty()) {
      const std::string_view piece = rest.substr(0, piece_bytes);
      if (std::chrono::steady_clock::now() >= end ||
          mg_write(connection, piece.data(), piece.size()) != static_cast<int>(piece.size())) {
        return false;
      }
      rest.remove_prefix(piece.size());
    }
    return true;
  }

  std::string cannot_listen() const {
    for (const ListenAddress& address : requested_) {
      const std::string why = why_not(address);
      if (!why.empty()) {
        return "cannot listen on " + (address.host.empty() ? "" : address.host) + ":" +
               std::to_string(address.port) + ": " + why;
      }
    }
    return "cannot listen on " + civet_ports(requested_) +
           ": each can be had, but not all of them together; choose others with "
           "--web.listen-address";
  }

  /// CivetWeb looks for a stop every two seconds, or when a connection comes.
  static void wake(const std::vector<ListenAddress>& bound, const std::stop_token& stopped) {
    while (!stopped.stop_requested()) {
      for (const ListenAddress& address : bound) {
        const kernel::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(address.port);
        const bool is_any = address.host.empty() || address.is_ipv6() || address.host == "0.0.0.0";
        inet_pton(AF_INET, is_any ? "127.0.0.1" : address.host.c_str(), &name.sin_addr);
        (void)::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
      }
      constexpr std::chrono::milliseconds pause{10};
      std::this_thread::sleep_for(pause);
    }
  }

  std::vector<ListenAddress> requested_;
  HttpHandler handler_;
  const Log& log_;
  std::atomic<unsigned> answering_ = 0;
  mg_context* context_ = nullptr;
};

HttpServer::HttpServer(const std::vector<ListenAddress>& addresses, HttpHandler handler,
                       const Log& log)
    : civet_(std::make_unique<Civet>(addresses, std::move(handler), log)) {}

HttpServer::~HttpServer() = default;

std::vector<ListenAddress> HttpServer::addresses() const { return civet_->addresses(); }

void HttpServer::stop() { civet_.reset(); }

}  // namespace inetdiag
