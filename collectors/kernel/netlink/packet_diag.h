// Requests and messages of packet_diag: linux/packet_diag.h, net/packet/diag.c.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace inetdiag::kernel {

struct PacketSocket {
  std::uint16_t protocol = 0;  ///< ETH_P_*; 0: receives nothing
  std::uint64_t inode = 0;
  std::uint32_t queued_bytes = 0;  ///< in the receive queue, with kernel overhead (sk_rmem_alloc)
  /// Packets that found no room in the receive buffer. The drops of a socket with a ring
  /// (PACKET_RX_RING, as of tcpdump) are known to its program only.
  std::uint32_t drops = 0;
};

/// Returns nothing if the payload is too short.
std::optional<PacketSocket> parse_packet_socket(std::span<const std::byte> payload);

/// Returns the payload of a SOCK_DIAG_BY_FAMILY dump (struct packet_diag_req).
std::array<std::byte, 20> packet_dump_payload();

}  // namespace inetdiag::kernel
