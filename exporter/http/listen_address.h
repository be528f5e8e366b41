#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inetdiag {

/// Where the server listens.
struct ListenAddress {
  std::string host;        ///< an IPv4 address, or an IPv6 address without brackets; empty for all
  std::uint16_t port = 0;  ///< 0: any free one

  bool is_ipv6() const { return host.find(':') != std::string::npos; }
  /// As parse_listen_address() takes it.
  std::string text() const;
  /// A URL that opens it from this host.
  std::string url(bool has_tls = false) const;

  bool operator==(const ListenAddress&) const = default;
};

/// Understands `:10045`, `127.0.0.1:10045`, `[127.0.0.1]:10045`, `[::1]:10045` and
/// `localhost:10045`, which is its IPv4 address where it has one. Throws std::invalid_argument that
/// says what is wrong.
ListenAddress parse_listen_address(std::string_view text);

}  // namespace inetdiag
