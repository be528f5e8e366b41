#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace inetdiag::statsd {

/// What names of hosts are resolved by, with what /etc/resolv.conf is a link to as a rule.
inline constexpr std::array resolver_paths = {"/etc", "/run/systemd/resolve", "/run/resolvconf",
                                              "/run/NetworkManager"};

/// Where the answer is asked for over TCP that is too long for UDP, as one with many addresses.
inline constexpr std::uint16_t resolver_port = 53;

/// Where a StatsD listener is: a host and a port of UDP, or the path of a UNIX datagram socket.
struct Address {
  std::string host{};
  std::string port{};
  std::string path{};

  bool is_unix() const { return !path.empty(); }
  /// Whether the host is to be resolved.
  bool has_name() const;
  std::string text() const;

  bool operator==(const Address&) const = default;
};

/// Understands `127.0.0.1:8125`, `[::1]:8125`, `statsd.example:8125` and `unix:///run/statsd.sock`;
/// a name is not resolved. Throws std::invalid_argument that says what is wrong.
Address parse_address(std::string_view text);

}  // namespace inetdiag::statsd
