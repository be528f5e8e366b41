// /proc/net/raw and /proc/net/raw6 (net/ipv4/raw.c, raw_sock_seq_show; net/ipv6/datagram.c,
// __ip6_dgram_sock_seq_show).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace inetdiag::kernel {

struct RawSocketEntry {
  std::uint8_t protocol = 0;       ///< IPPROTO_*
  std::uint64_t queued_bytes = 0;  ///< in the receive queue, with kernel overhead (sk_rmem_alloc)
  std::uint32_t drops = 0;         ///< packets, mostly because the receive buffer was full
  std::uint64_t inode = 0;
};

/// Returns the sockets of the network namespace. Ignores lines that are not complete.
std::vector<RawSocketEntry> parse_raw_sockets(std::string_view text);

}  // namespace inetdiag::kernel
