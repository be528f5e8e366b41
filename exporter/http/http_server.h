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
  std::string path;   ///< decoded, without the query
  std::string query;  ///< as it came
  /// The value of a header, empty where it is absent; names in any case.
  std::function<std::string(const char* name)> header;
  std::string client{};  ///< the address and port of who asks
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// CivetWeb, restricted to answering every request from one handler: no files, no CORS, no
/// keep-alive, a bound on threads and on the time that a client may take.
class HttpServer {
 public:
  /// CivetWeb gives a thread to each connection, from its first byte to its last. So many clients
  /// that send nothing, or read nothing, delay nobody; a thread that waits costs about 20 KiB.
  static constexpr unsigned max_clients = 256;
  /// One listens, another one is for the end.
  static constexpr std::size_t descriptors_per_address = 2;

  struct Hooks {
    /// Called once it listens, with the ports that were chosen, before any of its threads runs.
    std::function<void(const std::vector<ListenAddress>& bound)> before_threads{};
    /// Who asks from this address and port, at which port of the server: its name, or nothing where
    /// it may not ask. Without it everybody may.
    std::function<std::optional<std::string>(const std::string& address, int port, int server_port)>
        client_for_connection{};
    /// In this process, with what stands before the server.
    unsigned descriptors_per_client = 1;
    std::size_t other_listening = 0;  ///< sockets of this process that listen beside the server's
  };

  /// Serves at once, at addresses of IPv4. `handler` is called by several threads; what it throws
  /// becomes a 500. A HEAD is handed to it as a GET. Throws std::runtime_error with a text that
  /// says what to do.
  HttpServer(const std::vector<ListenAddress>& addresses, HttpHandler handler, const Log& log,
             Hooks hooks);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// As stop().
  ~HttpServer();

  /// The name of a client that asks from here.
  static std::string client_name(const std::string& address, int port);

  /// Where it listens, with the ports that were chosen for port 0.
  std::vector<ListenAddress> addresses() const;

  /// Takes no more connections, and returns when all that are open have been answered or given up.
  void stop();

 private:
  class Civet;
  std::unique_ptr<Civet> civet_;
};

}  // namespace inetdiag
