#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/http/client_stream.h"
#include "exporter/http/listen_address.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Takes the clients that the HTTP server cannot take, and passes on over loopback what they ask:
/// Debian's CivetWeb cannot load OpenSSL 3 and is built without IPv6. One thread serves all clients
/// and waits for none. The server gets a connection only when the whole head of a request is there.
class TlsProxy {
 public:
  /// The client's, and both ends of the connection to the server.
  static constexpr unsigned descriptors_per_client = 3;

  /// What to speak to a new client over its socket. Throws std::runtime_error that says why
  /// nothing.
  using StreamSource = std::function<std::unique_ptr<ClientStream>(int fd)>;

  /// Listens at once, serves after start(). `stream` is asked for each new client; one beyond
  /// `max_clients` takes the place of one that has not asked yet, or is turned away. Throws
  /// std::runtime_error with a text that says what to do.
  TlsProxy(const std::vector<ListenAddress>& addresses, StreamSource stream,
           std::size_t max_clients, const Log& log);
  TlsProxy(const TlsProxy&) = delete;
  TlsProxy& operator=(const TlsProxy&) = delete;
  /// As stop().
  ~TlsProxy();

  /// Where it listens, with the ports that were chosen for port 0.
  std::vector<ListenAddress> addresses() const;

  /// `server_port` is that of the HTTP server at 127.0.0.1.
  void start(std::uint16_t server_port);

  /// The address and port of the client for which this peer of the HTTP server asks; nothing where
  /// it is no connection of this front. Whoever reaches loopback must not get around TLS.
  std::optional<std::string> client_for_connection(const std::string& address, int port) const;

  /// Takes no more clients.
  void stop_listening();

  /// Returns when those that get an answer have it, or are given up.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace inetdiag
