#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "exporter/http/http_server.h"
#include "exporter/http/tls_proxy.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {

/// The HTTP server, behind TlsProxy if the web configuration enables TLS, and for IPv6,
/// UNIX and passed sockets.
class WebServer {
 public:
  /// Called once the sockets listen and before a thread starts, with the ports that TlsProxy
  /// connects to in this process.
  using BeforeThreads = std::function<void(const std::vector<std::uint16_t>& upstream_ports)>;

  /// Starts to serve on `addresses` and on `passed`, which are non-blocking listening sockets.
  /// `web_config` may be null. Throws std::runtime_error with a message that says what to do, and
  /// the exception of `before_threads`.
  WebServer(const std::vector<ListenAddress>& addresses, std::vector<kernel::UniqueFd> passed,
            const HttpHandler& handler, const std::shared_ptr<WebConfigWatcher>& web_config,
            const BeforeThreads& before_threads, const Log& log);
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  /// As stop().
  ~WebServer() { stop(); }

  /// The addresses that clients connect to.
  std::vector<ListenAddress> addresses() const;
  bool has_tls() const { return has_tls_; }

  /// Accepts no more clients. Returns once the open connections have been served or have timed out.
  void stop();

 private:
  bool has_tls_;
  std::unique_ptr<TlsProxy> proxy_;
  /// Port on which the HTTP server accepts only connections from the proxy.
  std::uint16_t upstream_port_ = 0;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace inetdiag
