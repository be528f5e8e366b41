#pragma once

#include <compare>
#include <cstdint>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

/// What SO_REUSEPORT members share, and what a client sees as one.
struct Endpoint {
  InetAddress address;
  std::uint16_t port = 0;
  std::uint32_t device = 0;  ///< interface index, 0 if not bound to one

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace inetdiag::kernel
