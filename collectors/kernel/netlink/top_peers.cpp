#include "collectors/kernel/netlink/top_peers.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <sys/socket.h>

namespace inetdiag::kernel {
namespace {

constexpr std::uint8_t v4_address_bits = 32;
constexpr std::uint8_t v6_address_bits = 128;
constexpr std::uint8_t v4_network_bits = 24;
constexpr std::uint8_t v6_network_bits = 64;

std::uint64_t random_secret() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

/// Multiplies to 128 bits and folds, as wyhash does.
std::uint64_t mix(std::uint64_t left, std::uint64_t right) {
  __extension__ using Product = unsigned __int128;
  const Product product = Product{left} * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

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

AddressPrefixHash::AddressPrefixHash()
    : first_secret_(random_secret()), second_secret_(random_secret()) {}

std::size_t AddressPrefixHash::operator()(const AddressPrefix& peer) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, peer.address.bytes.data(), sizeof high);
  std::memcpy(&low, peer.address.bytes.data() + sizeof high, sizeof low);
  return mix(mix(high ^ first_secret_, low ^ second_secret_) ^ peer.address.family, first_secret_);
}

}  // namespace inetdiag::kernel
