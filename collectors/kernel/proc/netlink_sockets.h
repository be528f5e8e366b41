// /proc/net/netlink (net/netlink/af_netlink.c, netlink_native_seq_show).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace inetdiag::kernel {

struct NetlinkSocketEntry {
  std::uint32_t protocol = 0;      ///< NETLINK_*
  std::uint32_t groups = 0;        ///< multicast groups, the first 32
  std::uint64_t queued_bytes = 0;  ///< in the receive queue, with kernel overhead (sk_rmem_alloc)
  std::uint32_t drops = 0;         ///< messages that found no room in the receive buffer
  std::uint64_t inode = 0;
};

/// Returns the bound sockets of programs in the network namespace: those of the kernel have port ID
/// 0, and no queue. Ignores lines that are not complete.
std::vector<NetlinkSocketEntry> parse_netlink_sockets(std::string_view text);

}  // namespace inetdiag::kernel
