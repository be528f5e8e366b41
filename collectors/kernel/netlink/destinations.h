// The destinations of outgoing connections. Connections from one source address to one destination
// share the ephemeral ports, because each needs a local port of its own.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "collectors/kernel/base/ephemeral_ports.h"
#include "collectors/kernel/base/secret_hash.h"
#include "collectors/kernel/base/top_k.h"
#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

/// A destination and the source of the connections to it. IPv4-mapped addresses are IPv4.
struct Destination {
  InetAddress source;
  InetAddress address;
  std::uint16_t port = 0;
  /// SO_BINDTODEVICE. Their ports must be free on the device and of connections without a device;
  /// the latter do not need ports that are free on devices (inet_match, inet_bound_dev_eq).
  std::uint32_t device = 0;

  /// Returns the destination as `10.0.0.5:443` or `[::1]:443`.
  std::string text() const { return address.text() + ":" + std::to_string(port); }

  auto operator<=>(const Destination&) const = default;
};

class DestinationHash {
 public:
  std::size_t operator()(const Destination& destination) const;

 private:
  SecretHash hash_;
};

/// The ephemeral ports that connections to one destination use: from `at_least` to `at_most`.
struct DestinationPorts {
  Destination destination;
  std::uint64_t at_least = 0;
  std::uint64_t at_most = 0;
};

struct DestinationsInUse {
  std::uint64_t usable_ports = 0;
  /// Those with the highest `at_least`, in descending order.
  std::vector<DestinationPorts> fullest;
  /// No destination uses more ports than this.
  std::uint64_t at_most = 0;
  bool is_exact = true;  ///< every destination had a counter

  /// Returns the share of the usable ports; without any, every connect() fails. A dump may report a
  /// socket twice while the table changes.
  double fill(std::uint64_t ports) const {
    return usable_ports <= ports ? 1
                                 : static_cast<double>(ports) / static_cast<double>(usable_ports);
  }
};

/// Counts the ephemeral ports in use by destination, in constant memory.
class DestinationCounter {
 public:
  /// Counts sockets with a local port in `ports`, which has no port with a listener: connections to
  /// a listener are not outgoing ones, and connect() does not choose its port.
  explicit DestinationCounter(const EphemeralPorts& ports);

  /// Ignores sockets in CLOSE, and those in TIME_WAIT whose port connect() takes again.
  void add(const InetSocket& socket, std::span<const std::byte> payload);

  DestinationsInUse result() const;

 private:
  /// Some 400 kB. With 300,000 connections no count is more than 73 too high.
  static constexpr std::size_t capacity = 4096;

  EphemeralPorts ports_;
  TopK<Destination, DestinationHash> sketch_{capacity};
};

}  // namespace inetdiag::kernel
