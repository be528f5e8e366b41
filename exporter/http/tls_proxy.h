#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/kernel/base/unique_fd.h"
#include "exporter/http/client_stream.h"
#include "exporter/http/listen_address.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Terminates TLS, serves IPv6, UNIX and passed sockets, and forwards to the HTTP server over
/// loopback. Needed because Debian's CivetWeb can neither load OpenSSL 3 nor listen on IPv6, and no
/// CivetWeb serves a socket that it did not open.
///
/// One thread serves all clients and never blocks. It connects to the HTTP server, which has a
/// thread for each connection, only once a client has sent a complete request header.
class TlsProxy {
 public:
  /// The client's socket and both ends of the connection to the HTTP server.
  static constexpr unsigned descriptors_per_client = 3;

  /// Creates the stream of a new client over its socket. Throws std::runtime_error on failure.
  using StreamFactory = std::function<std::unique_ptr<ClientStream>(int fd)>;

  /// Serves the non-blocking sockets `listening` after start(). A client beyond `max_clients`
  /// replaces the oldest one without a complete request, or is closed if there is none. Throws
  /// std::system_error.
  TlsProxy(std::vector<kernel::UniqueFd> listening, StreamFactory make_stream,
           std::size_t max_clients, const Log& log);
  TlsProxy(const TlsProxy&) = delete;
  TlsProxy& operator=(const TlsProxy&) = delete;
  /// As stop().
  ~TlsProxy();

  /// The addresses of its sockets.
  std::vector<ListenAddress> addresses() const;

  /// Starts to serve. `upstream_port` is the port of the HTTP server at 127.0.0.1.
  void start(std::uint16_t upstream_port);

  /// Returns the address and port of the client for which the proxy opened this connection to the
  /// HTTP server, or nothing if the proxy did not open it: other local processes must not bypass
  /// TLS.
  std::optional<std::string> client_for_connection(const std::string& address, int port) const;

  /// Accepts no more clients.
  void stop_listening();

  /// Returns once the responses in progress have been sent or have timed out.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace inetdiag
