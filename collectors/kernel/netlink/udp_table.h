// The UDP sockets of one network namespace: udp_diag, net/ipv4/udp_diag.c.
#pragma once

#include <cstdint>
#include <functional>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/endpoint.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag::kernel {

struct UdpSocket {
  Endpoint endpoint;
  bool is_connected = false;
  std::uint64_t cookie = 0;
  std::uint32_t receive_queue = 0;  ///< bytes, with the kernel's overhead for each datagram
  std::uint32_t receive_limit = 0;  ///< bytes (SO_RCVBUF); beyond it datagrams are dropped
  std::uint32_t drops = 0;          ///< wraps at 2^32
};

/// Hands on each socket of both families while the answer streams in. Throws as dump() does.
void dump_udp(const NetlinkFactory& open, const Deadline& deadline,
              const std::function<void(const UdpSocket&)>& each);

}  // namespace inetdiag::kernel
