// The peers that hold the most sockets of a dump.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "collectors/kernel/base/secret_hash.h"
#include "collectors/kernel/base/top_k.h"
#include "collectors/kernel/netlink/inet_diag.h"
#include "collectors/kernel/netlink/inet_diag_filter.h"

namespace inetdiag::kernel {

/// Whether peers are counted by address, or by network: /24 for IPv4, /64 for IPv6.
enum class PeerScope { address, network };

/// Returns the peer to count. IPv4-mapped addresses are IPv4.
AddressPrefix peer_of(const InetAddress& address, PeerScope scope);

/// Returns the text that parse_address_prefix() takes: `10.0.0.5`, `2001:db8::/64`.
std::string text_of(const AddressPrefix& peer);

class AddressPrefixHash {
 public:
  std::size_t operator()(const AddressPrefix& peer) const;

 private:
  SecretHash hash_;
};

/// Sockets without a peer, such as listeners, are not counted.
class TopPeers {
 public:
  using Sketch = TopK<AddressPrefix, AddressPrefixHash>;

  explicit TopPeers(PeerScope scope, std::size_t capacity = default_capacity)
      : scope_(scope), sketch_(capacity) {}

  void add(const InetPeer& peer) {
    if (peer.port != 0 || !peer.address.is_any()) {
      sketch_.add(peer_of(peer.address, scope_));
    }
  }

  PeerScope scope() const { return scope_; }
  const Sketch& sketch() const { return sketch_; }

 private:
  /// Some 2 MB. With a million sockets no count is more than 61 too high.
  static constexpr std::size_t default_capacity = 1U << 14U;

  PeerScope scope_;
  Sketch sketch_;
};

}  // namespace inetdiag::kernel
