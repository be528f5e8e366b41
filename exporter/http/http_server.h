#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/http/listen_address.h"
#include "exporter/log/log.h"

namespace inetdiag {

struct HttpRequest {
  std::string method;
  std::string path;   ///< percent-decoded, without the query
  std::string query;  ///< still encoded
  /// Returns the value of a header field, empty if it is absent. Names are case-insensitive.
  std::function<std::string(const char* name)> header;
  std::string client{};  ///< address and port
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// CivetWeb, restricted to one handler for all requests: no files, no CORS, no keep-alive, and
/// limits for threads and for the time that a client may take.
class HttpServer {
 public:
  /// CivetWeb uses a thread for each connection, from its first byte to its last, so this many slow
  /// clients do not delay others. An idle thread costs about 20 KiB.
  static constexpr unsigned max_clients = 256;
  /// The listening socket and its duplicate, which stop() shuts down.
  static constexpr std::size_t descriptors_per_address = 2;

  struct Hooks {
    /// Called once, when the sockets listen and before a thread starts, with the ports that the
    /// kernel chose. No request is handled if it throws. Not kept after the call.
    std::function<void(const std::vector<ListenAddress>& bound)> before_threads{};
    /// Returns the client's name for a connection from this address and port to `server_port`, or
    /// nothing to reject the connection with status 403. The default accepts all clients.
    std::function<std::optional<std::string>(const std::string& address, int port, int server_port)>
        client_for_connection{};
    /// File descriptors of this process for each client, including those of a proxy.
    unsigned descriptors_per_client = 1;
    std::size_t other_listening = 0;  ///< listening sockets of this process besides the server's
  };

  /// Starts to serve, on IPv4 addresses. Calls `handler` from several threads, with HEAD as GET; an
  /// exception becomes status 500. Throws std::runtime_error with a message that says what to do,
  /// and the exception of `before_threads`.
  HttpServer(const std::vector<ListenAddress>& addresses, HttpHandler handler, const Log& log,
             Hooks hooks);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// As stop().
  ~HttpServer();

  /// Formats a client's address and port for logs.
  static std::string client_name(const std::string& address, int port);

  /// The addresses it listens on, with the ports that the kernel chose for port 0.
  std::vector<ListenAddress> addresses() const;

  /// Accepts no more connections. Returns once the open connections have been served or have timed
  /// out.
  void stop();

 private:
  class Civet;
  std::unique_ptr<Civet> civet_;
};

}  // namespace inetdiag
