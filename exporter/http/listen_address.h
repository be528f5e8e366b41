#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inetdiag {

/// An address and port, or a UNIX socket, that the server listens on.
struct ListenAddress {
  std::string host{};      ///< IPv4, or IPv6 without brackets; empty for every IPv4 address
  std::uint16_t port = 0;  ///< 0: chosen by the kernel
  std::string path{};      ///< of a UNIX socket; empty for IPv4 and IPv6

  bool is_ipv6() const { return host.find(':') != std::string::npos; }
  bool is_unix() const { return !path.empty(); }
  /// Returns the address in the syntax of parse_listen_address().
  std::string text() const;
  /// Returns a URL that works on this host, or text() of a UNIX socket.
  std::string url(bool has_tls = false) const;

  bool operator==(const ListenAddress&) const = default;
};

/// Parses `:10045`, `127.0.0.1:10045`, `[127.0.0.1]:10045`, `[::1]:10045`, `localhost:10045`,
/// `unix:/run/inetdiag.sock` and `unix:///run/inetdiag.sock`. A host name resolves to its first
/// IPv4 address, or else to its first IPv6 address. Throws std::invalid_argument with the reason.
ListenAddress parse_listen_address(std::string_view text);

}  // namespace inetdiag
