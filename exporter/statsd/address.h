#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace inetdiag::statsd {

/// Files that name resolution reads, and the usual targets of the symbolic link /etc/resolv.conf.
inline constexpr std::array resolver_paths = {"/etc", "/run/systemd/resolve", "/run/resolvconf",
                                              "/run/NetworkManager"};

/// DNS over TCP, which the resolver uses for answers that do not fit into a datagram.
inline constexpr std::uint16_t resolver_port = 53;

/// The address of a StatsD server: a host and a UDP port, or the path of a UNIX datagram socket.
struct Address {
  std::string host{};
  std::string port{};
  std::string path{};

  bool is_unix() const { return !path.empty(); }
  /// Returns whether the host is a name, which needs DNS.
  bool has_host_name() const;
  std::string text() const;

  bool operator==(const Address&) const = default;
};

/// Parses `127.0.0.1:8125`, `[::1]:8125`, `statsd.example:8125` and `unix:///run/statsd.sock`; does
/// not resolve names. Throws std::invalid_argument for any other text.
Address parse_address(std::string_view text);

}  // namespace inetdiag::statsd
