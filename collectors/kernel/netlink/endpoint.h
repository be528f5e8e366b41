#pragma once

#include <compare>
#include <cstdint>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

/// A local address. All sockets of an SO_REUSEPORT group share it.
struct Endpoint {
  InetAddress address;
  std::uint16_t port = 0;
  std::uint32_t device = 0;  ///< interface index (SO_BINDTODEVICE), 0 if none

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace inetdiag::kernel
