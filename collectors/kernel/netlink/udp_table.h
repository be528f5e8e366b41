// The UDP sockets of one network namespace: udp_diag, net/ipv4/udp_diag.c.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/endpoint.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag::kernel {

struct UdpSocket {
  Endpoint endpoint;
  bool is_connected = false;
  std::uint64_t cookie = 0;
  std::uint32_t receive_queue = 0;  ///< bytes, including sk_buff overhead
  std::uint32_t receive_limit = 0;  ///< bytes (SO_RCVBUF)
  std::uint32_t drops = 0;          ///< wraps at 2^32
  std::optional<std::uint64_t> cgroup_id{};
};

/// Calls `each` for every socket of both families while the dump is received. Throws as dump().
void dump_udp(const NetlinkFactory& open, const Deadline& deadline,
              const std::function<void(const UdpSocket&)>& each);

}  // namespace inetdiag::kernel
