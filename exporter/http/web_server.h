#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "exporter/http/client_limit.h"
#include "exporter/http/http_server.h"
#include "exporter/http/reverse_proxy.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {

/// The HTTP server behind ReverseProxy.
class WebServer {
 public:
  /// Starts to serve on `addresses` and on `passed`, which are non-blocking listening sockets.
  /// `web_config` may be null. Calls `before_threads` once the sockets listen and before a thread
  /// starts. Throws std::runtime_error with a message that says what to do, and the exception of
  /// `before_threads`.
  WebServer(const std::vector<ListenAddress>& addresses, std::vector<kernel::UniqueFd> passed,
            const HttpHandler& handler, const std::shared_ptr<WebConfigWatcher>& web_config,
            const std::function<void()>& before_threads, const Log& log);
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  /// As stop().
  ~WebServer() { stop(); }

  /// The addresses that clients connect to.
  std::vector<ListenAddress> addresses() const { return proxy_.addresses(); }
  bool has_tls() const { return has_tls_; }

  /// Accepts no more clients. Returns once the open connections have been served or have timed out.
  void stop();

 private:
  bool has_tls_;
  ClientLimits limits_;
  ReverseProxy proxy_;
  HttpServer http_;
};

}  // namespace inetdiag
