#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "exporter/http/http_server.h"
#include "exporter/http/tls_proxy.h"
#include "exporter/web_config/web_config_watcher.h"

namespace inetdiag {

/// The HTTP server, and before it, for TLS where the settings ask for it and for addresses of IPv6,
/// what takes those clients.
class Server {
 public:
  /// Called once it listens, before any of its threads runs, with the ports that it connects to
  /// within the process.
  using BeforeThreads = std::function<void(const std::vector<std::uint16_t>& own_ports)>;

  /// Serves at once; `settings` may be null. Throws std::runtime_error with a text that says what
  /// to do.
  Server(const std::vector<ListenAddress>& addresses, const HttpHandler& handler,
         const std::shared_ptr<WebConfigWatcher>& settings, const BeforeThreads& before_threads,
         const Log& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// As stop().
  ~Server() { stop(); }

  /// Where clients reach it.
  std::vector<ListenAddress> addresses() const;
  bool has_tls() const { return has_tls_; }

  /// Takes no more clients, and returns when all have been answered or given up.
  void stop();

 private:
  bool has_tls_;
  std::unique_ptr<TlsProxy> front_;
  /// Where the front asks: nobody else may, or TLS and the choice of addresses were in vain.
  std::uint16_t inner_port_ = 0;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace inetdiag
