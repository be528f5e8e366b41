// Which sockets the kernel tells of: filters that it applies itself, so that what is left out costs
// no more than the walk past it. INET_DIAG_REQ_BYTECODE, net/ipv4/inet_diag.c (inet_diag_bc_audit,
// inet_diag_bc_run).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

constexpr std::uint32_t all_tcp_states = ((1U << tcp_state_slots) - 1) & ~1U;

/// An address with how many of its leading bits count.
struct AddressPrefix {
  InetAddress address;
  std::uint8_t prefix = 0;

  bool operator==(const AddressPrefix&) const = default;
};

/// `10.0.0.0/8`, `2001:db8::/32`, or an address alone. ::ffff:10.0.0.0/104 is 10.0.0.0/8.
std::optional<AddressPrefix> parse_address_prefix(std::string_view text);

/// All of its conditions must hold; one that is empty holds for every socket.
struct InetFilter {
  std::uint32_t states = all_tcp_states;  ///< a set of mask(TcpState)
  std::uint8_t family = 0;                ///< AF_INET, AF_INET6, or AF_UNSPEC for both
  std::vector<std::uint16_t> ports{};     ///< one of them is the local or the peer's port
  /// The peer's address is in one of them. One of IPv4 holds for IPv4 in IPv6 (::ffff:a.b.c.d),
  /// too.
  std::vector<AddressPrefix> peers{};
};

/// Ports and peers as the kernel's bytecode, empty where there are none. Throws
/// std::invalid_argument where they are more than one request can hold.
std::vector<std::byte> bytecode_of(const InetFilter& filter);

/// What to ask for the TCP sockets that pass: message type and payload for dump().
struct InetRequest {
  std::uint16_t type = 0;
  std::vector<std::byte> payload;
};

/// Throws as bytecode_of() does.
InetRequest tcp_request(const InetFilter& filter);

}  // namespace inetdiag::kernel
