#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/http/upstream.h"
#include "exporter/log/log.h"

namespace inetdiag {

struct HttpRequest {
  std::string method;
  std::string path;   ///< percent-decoded, without the query
  std::string query;  ///< still encoded
  /// Returns the value of a header field, empty if it is absent. Names are case-insensitive.
  std::function<std::string(const char* name)> header;
  std::string client{};  ///< address and port, or `unix`
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// CivetWeb, restricted to one handler for all requests: no files, no CORS, no keep-alive. It
/// serves ReverseProxy only, over a UNIX socket: CivetWeb takes a thread for each connection, and
/// starts them all at once.
class HttpServer {
 public:
  /// Requests that are handled at a time.
  static constexpr unsigned threads = 16;

  /// Starts to serve. Calls `before_threads` once, before a thread starts; no request is handled if
  /// it throws, and it is not kept. Calls `handler` from several threads, with HEAD as GET; an
  /// exception becomes status 500. Throws std::runtime_error with a message that says what to do,
  /// and the exception of `before_threads`.
  HttpServer(HttpHandler handler, const Log& log, std::function<void()> before_threads);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// As stop().
  ~HttpServer();

  const Upstream& upstream() const;

  /// Accepts no more connections. Returns once the open connections have been served or have timed
  /// out.
  void stop();

 private:
  class Civet;
  std::unique_ptr<Civet> civet_;
};

}  // namespace inetdiag
