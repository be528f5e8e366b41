#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "exporter/http_server.h"
#include "exporter/tls_front.h"
#include "exporter/web_settings.h"

namespace inetdiag {

/// The HTTP server, behind TLS where the settings ask for it.
class Server {
 public:
  /// Called once it listens, before any of its threads runs, with the ports that it connects to
  /// within the process.
  using BeforeThreads = std::function<void(const std::vector<std::uint16_t>& own_ports)>;

  /// Serves at once; `settings` may be null. Throws std::runtime_error with a text that says what
  /// to do.
  Server(const std::vector<ListenAddress>& addresses, const HttpHandler& handler,
         const std::shared_ptr<WebSettings>& settings, const BeforeThreads& before_threads,
         const Log& log);

  /// Where clients reach it.
  std::vector<ListenAddress> addresses() const;
  bool has_tls() const { return front_ != nullptr; }

  /// Takes no more clients, and returns when all have been answered or given up.
  void stop();

 private:
  std::unique_ptr<TlsFront> front_;
  std::unique_ptr<HttpServer> http_;
};

}  // namespace inetdiag
