#include "collectors/kernel/netlink/top_peers.h"

#include <set>

#include <gtest/gtest.h>

namespace inetdiag::kernel {
namespace {

InetAddress address_of(const char* text) { return parse_address_prefix(text).value().address; }

std::string text(const char* address, PeerScope scope) {
  return text_of(peer_of(address_of(address), scope));
}

TEST(TopPeers, CountsByAddress) {
  EXPECT_EQ(text("10.1.2.3", PeerScope::address), "10.1.2.3");
  EXPECT_EQ(text("2001:db8::1", PeerScope::address), "2001:db8::1");
}

TEST(TopPeers, CountsByNetwork) {
  EXPECT_EQ(text("10.1.2.3", PeerScope::network), "10.1.2.0/24");
  EXPECT_EQ(text("2001:db8:1:2:3:4:5:6", PeerScope::network), "2001:db8:1:2::/64");
  EXPECT_EQ(text("::1", PeerScope::network), "::/64");
}

TEST(TopPeers, CountsMappedAddressesAsIpv4) {
  const InetAddress mapped = address_of("10.1.2.3").mapped();
  EXPECT_EQ(text_of(peer_of(mapped, PeerScope::address)), "10.1.2.3");
  EXPECT_EQ(text_of(peer_of(mapped, PeerScope::network)), "10.1.2.0/24");
}

TEST(TopPeers, PrintsWhatThePeerFilterTakes) {
  for (const char* address : {"10.1.2.3", "2001:db8::1", "::1"}) {
    for (const PeerScope scope : {PeerScope::address, PeerScope::network}) {
      const AddressPrefix peer = peer_of(address_of(address), scope);
      EXPECT_EQ(parse_address_prefix(text_of(peer)), peer) << address;
    }
  }
}

TEST(TopPeers, IgnoresSocketsWithoutAPeer) {
  TopPeers peers(PeerScope::address);
  peers.add({.address = address_of("0.0.0.0")});
  peers.add({.address = address_of("::")});
  EXPECT_EQ(peers.sketch().total(), 0U);
  peers.add({.address = address_of("10.0.0.1"), .port = 1});
  EXPECT_EQ(peers.sketch().total(), 1U);
}

TEST(TopPeers, AreConstantInMemory) {
  TopPeers peers(PeerScope::address, 100);
  InetPeer peer{.address = address_of("10.0.0.0"), .port = 1};
  for (int i = 0; i < 10'000; ++i) {
    peer.address.bytes[2] = static_cast<std::uint8_t>(i / 256);
    peer.address.bytes[3] = static_cast<std::uint8_t>(i % 256);
    peers.add(peer);
  }
  EXPECT_EQ(peers.sketch().size(), 100U);
  EXPECT_EQ(peers.sketch().max_error(), 99U);
}

TEST(AddressPrefixHash, DiffersBetweenInstances) {
  const AddressPrefix peer = peer_of(address_of("10.1.2.3"), PeerScope::address);
  EXPECT_NE(AddressPrefixHash()(peer), AddressPrefixHash()(peer));
}

TEST(AddressPrefixHash, SpreadsNeighbouringAddresses) {
  const AddressPrefixHash hash;
  std::set<std::size_t> buckets;
  AddressPrefix peer = peer_of(address_of("10.0.0.0"), PeerScope::address);
  for (int i = 0; i < 4096; ++i) {
    peer.address.bytes[2] = static_cast<std::uint8_t>(i / 256);
    peer.address.bytes[3] = static_cast<std::uint8_t>(i % 256);
    buckets.insert(hash(peer) % 4096);
  }
  EXPECT_GT(buckets.size(), 2300U);  // 63 % of a random function
}

}  // namespace
}  // namespace inetdiag::kernel
