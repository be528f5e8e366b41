#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/client_stream.h"
#include "exporter/http/listen_address.h"
#include "exporter/http/upstream.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Accepts all clients, reads their request, with TLS if there is a certificate, and forwards it to
/// the HTTP server, which has a few threads and takes one from the request to the response. Clients
/// that send or read slowly wait here, where they cost no thread.
///
/// One thread serves all clients and never blocks. It keeps the response until the client has taken
/// it.
class ReverseProxy {
 public:
  /// Creates the stream of a new client over its socket. Throws std::runtime_error on failure.
  using StreamFactory = std::function<std::unique_ptr<ClientStream>(int fd)>;

  /// Serves the non-blocking sockets `listening` after start(). A client beyond `max_clients`
  /// replaces the oldest one without a complete request, or is closed if there is none. Throws
  /// std::system_error.
  ReverseProxy(std::vector<kernel::UniqueFd> listening, StreamFactory make_stream,
               std::size_t max_clients, const Log& log);
  ReverseProxy(const ReverseProxy&) = delete;
  ReverseProxy& operator=(const ReverseProxy&) = delete;
  /// As stop().
  ~ReverseProxy();

  /// The addresses of its sockets.
  std::vector<ListenAddress> addresses() const;

  /// Starts to serve, with at most `max_connections` to the HTTP server at a time.
  void start(const Upstream& upstream, std::size_t max_connections);

  /// Accepts no more clients.
  void stop_listening();

  /// Returns once the responses in progress have been sent or have timed out.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace inetdiag
