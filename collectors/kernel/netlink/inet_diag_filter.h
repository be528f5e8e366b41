// Filters that the kernel applies to a dump to report only the requested sockets:
// INET_DIAG_REQ_BYTECODE, net/ipv4/inet_diag.c (inet_diag_bc_audit, inet_diag_bc_run).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

constexpr std::uint32_t all_tcp_states = ((1U << tcp_state_slots) - 1) & ~1U;

/// A network: an address and the length of its prefix in bits.
struct AddressPrefix {
  InetAddress address;
  std::uint8_t prefix = 0;

  auto operator<=>(const AddressPrefix&) const = default;
};

/// Parses `10.0.0.0/8`, `2001:db8::/32` or a single address. ::ffff:10.0.0.0/104 is 10.0.0.0/8.
std::optional<AddressPrefix> parse_address_prefix(std::string_view text);

/// Ports from `first` to `last`, both included.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  auto operator<=>(const PortRange&) const = default;
};

/// A conjunction; an empty member matches every socket.
struct InetFilter {
  std::uint32_t states = all_tcp_states;  ///< a set of mask(TcpState)
  std::uint8_t family = 0;                ///< AF_INET, AF_INET6, or AF_UNSPEC for both
  std::vector<PortRange> ports{};         ///< any of them has the local or the peer's port
  /// Any of them contains the peer's address. IPv4 networks also match ::ffff:a.b.c.d.
  std::vector<AddressPrefix> peers{};
};

/// Returns the bytecode for the ports and peers, empty without any. Throws std::invalid_argument if
/// they do not fit into one request.
std::vector<std::byte> bytecode_of(const InetFilter& filter);

/// Message type and payload for dump().
struct InetRequest {
  std::uint16_t type = 0;
  std::vector<std::byte> payload;
};

/// Requests INET_DIAG_INFO if `with_info`. Throws as bytecode_of() does.
InetRequest tcp_request(const InetFilter& filter, bool with_info = false);

}  // namespace inetdiag::kernel
