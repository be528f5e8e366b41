#include "collectors/kernel/netlink/top_peers.h"

#include <algorithm>

#include <sys/socket.h>

namespace inetdiag::kernel {
namespace {

constexpr std::uint8_t v4_address_bits = 32;
constexpr std::uint8_t v6_address_bits = 128;
constexpr std::uint8_t v4_network_bits = 24;
constexpr std::uint8_t v6_network_bits = 64;

}  // namespace

AddressPrefix peer_of(const InetAddress& address, PeerScope scope) {
  AddressPrefix peer{.address = address.unmapped().value_or(address)};
  const bool is_v4 = peer.address.family == AF_INET;
  if (scope == PeerScope::address) {
    peer.prefix = is_v4 ? v4_address_bits : v6_address_bits;
    return peer;
  }
  peer.prefix = is_v4 ? v4_network_bits : v6_network_bits;
  std::fill(peer.address.bytes.begin() + peer.prefix / 8, peer.address.bytes.end(), 0);
  return peer;
}

std::string text_of(const AddressPrefix& peer) {
  std::string text = peer.address.text();
  const bool is_v4 = peer.address.family == AF_INET;
  if (!is_v4) {
    text = text.substr(1, text.size() - 2);  // the brackets
  }
  if (peer.prefix != (is_v4 ? v4_address_bits : v6_address_bits)) {
    text.append("/").append(std::to_string(peer.prefix));
  }
  return text;
}

std::size_t AddressPrefixHash::operator()(const AddressPrefix& peer) const {
  const auto [high, low] = peer.address.words();
  return hash_({high, low, peer.address.family});
}

}  // namespace inetdiag::kernel
