#include "collectors/kernel/netlink/inet_diag_filter.h"

#include <algorithm>
#include <random>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/support/inet_diag_bytecode.h"

namespace inetdiag::kernel {
namespace {

using testing::passes;
using testing::value_at;
using Bytes = testing::Bytecode;
using Ends = testing::SocketEnds;

InetAddress address(const std::string& text) { return parse_address_prefix(text).value().address; }

/// ::ffff:a.b.c.d, which parse_address_prefix() would turn into IPv4.
InetAddress mapped(const std::string& text) { return address(text).mapped(); }

Bytes audited(const InetFilter& filter) {
  Bytes code = bytecode_of(filter);
  EXPECT_EQ(testing::audit_error(code), "");
  return code;
}

TEST(InetFilter, IsEmptyWithoutConditions) { EXPECT_TRUE(audited({}).empty()); }

TEST(InetFilter, MatchesPortsAtEitherEnd) {
  const Bytes code = audited({.ports = {{443, 443}}});
  const InetAddress local = address("127.0.0.1");
  EXPECT_TRUE(passes(code, {local, 443, local, 1}));
  EXPECT_TRUE(passes(code, {local, 1, local, 443}));
  EXPECT_FALSE(passes(code, {local, 1, local, 2}));
}

TEST(InetFilter, MatchesTheLowestAndTheHighestPort) {
  const Bytes code = audited({.ports = {{0, 0}, {65535, 65535}}});
  const InetAddress local = address("::1");
  EXPECT_TRUE(passes(code, {local, 1, local, 0}));
  EXPECT_TRUE(passes(code, {local, 65535, local, 1}));
  EXPECT_FALSE(passes(code, {local, 1, local, 65534}));
}

TEST(InetFilter, MatchesRangesOfPorts) {
  const Bytes code = audited({.ports = {{1000, 2000}, {443, 443}}});
  const InetAddress local = address("::1");
  for (const std::uint16_t port : std::vector<std::uint16_t>{1000, 1500, 2000, 443}) {
    EXPECT_TRUE(passes(code, {local, port, local, 1})) << port;
    EXPECT_TRUE(passes(code, {local, 1, local, port})) << port;
  }
  for (const std::uint16_t port : std::vector<std::uint16_t>{999, 2001, 442}) {
    EXPECT_FALSE(passes(code, {local, port, local, 1})) << port;
  }
  // One end is below the range and the other one above it.
  EXPECT_FALSE(passes(code, {local, 999, local, 2001}));
}

struct PeerCase {
  const char* network;
  InetAddress peer;
  bool passes;
};

class PeerFilter : public ::testing::TestWithParam<PeerCase> {};

TEST_P(PeerFilter, MatchesPeersInTheNetwork) {
  const Bytes code = audited({.peers = {parse_address_prefix(GetParam().network).value()}});
  const Ends ends{address("1.2.3.4"), 1, GetParam().peer, 2};
  EXPECT_EQ(passes(code, ends), GetParam().passes);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, PeerFilter,
    ::testing::Values(PeerCase{"10.0.0.0/8", address("10.255.0.1"), true},
                      PeerCase{"10.0.0.0/8", address("11.0.0.1"), false},
                      PeerCase{"10.0.0.5/8", address("10.9.9.9"), true},
                      PeerCase{"10.0.0.0/8", mapped("10.255.0.1"), true},
                      PeerCase{"10.0.0.0/8", mapped("11.0.0.1"), false},
                      PeerCase{"10.0.0.0/8", address("a00::"), false},
                      PeerCase{"0.0.0.0/0", address("9.9.9.9"), true},
                      PeerCase{"0.0.0.0/0", mapped("9.9.9.9"), true},
                      PeerCase{"0.0.0.0/0", address("2001:db8::1"), false},
                      PeerCase{"10.1.2.3/32", address("10.1.2.3"), true},
                      PeerCase{"10.1.2.3", address("10.1.2.2"), false},
                      PeerCase{"::/0", address("2001:db8::1"), true},
                      PeerCase{"::/0", address("10.0.0.1"), false},
                      PeerCase{"2001:db8::/33", address("2001:db8:7fff::1"), true},
                      PeerCase{"2001:db8::/33", address("2001:db8:8000::1"), false},
                      PeerCase{"::1/128", address("::1"), true},
                      PeerCase{"::1", address("::2"), false},
                      PeerCase{"::ffff:10.0.0.0/104", address("10.1.1.1"), true},
                      PeerCase{"::ffff:10.0.0.0/104", mapped("10.1.1.1"), true},
                      PeerCase{"::ffff:10.0.0.1", address("10.0.0.2"), false}));

TEST(InetFilter, RequiresAPortAndAPeer) {
  std::mt19937 random(10);
  const auto below = [&](std::uint32_t n) { return random() % n; };
  const std::vector<const char*> networks = {"10.0.0.0/8", "10.1.0.0/16", "::/1", "fe80::/10",
                                             "192.0.2.1"};
  const std::vector<InetAddress> addresses = {address("10.1.2.3"), mapped("10.2.2.3"),
                                              address("192.0.2.1"), address("fe80::1"),
                                              address("::1")};
  for (int round = 0; round < 2000; ++round) {
    InetFilter filter;
    for (auto n = below(4); n > 0; --n) {
      const auto first = static_cast<std::uint16_t>(below(5));
      filter.ports.push_back({first, static_cast<std::uint16_t>(first + below(3))});
    }
    std::vector<Bytes> single;
    for (auto n = below(4); n > 0; --n) {
      filter.peers.push_back(parse_address_prefix(networks[below(5)]).value());
      single.push_back(audited({.peers = {filter.peers.back()}}));
    }
    const Ends ends{addresses[below(5)], static_cast<std::uint16_t>(below(5)), addresses[below(5)],
                    static_cast<std::uint16_t>(below(5))};
    const bool has_port = std::ranges::any_of(filter.ports, [&](const PortRange& range) {
      const auto contains = [&](auto port) { return range.first <= port && port <= range.last; };
      return contains(ends.local_port) || contains(ends.peer_port);
    });
    const bool has_peer =
        std::ranges::any_of(single, [&](const Bytes& code) { return passes(code, ends); });
    EXPECT_EQ(passes(audited(filter), ends),
              (filter.ports.empty() || has_port) && (filter.peers.empty() || has_peer));
  }
}

TEST(InetFilter, HasASizeLimit) {
  InetFilter filter;
  filter.ports.assign(1500, {7, 7});
  filter.peers.assign(500, parse_address_prefix("2001:db8::/32").value());
  const Bytes code = audited(filter);
  EXPECT_TRUE(passes(code, {address("::1"), 7, address("2001:db8::1"), 1}));
  EXPECT_FALSE(passes(code, {address("::1"), 7, address("::1"), 1}));
  EXPECT_FALSE(passes(code, {address("::1"), 8, address("2001:db8::1"), 1}));
  filter.ports.assign(3000, {7, 7});
  EXPECT_THROW(bytecode_of(filter), std::invalid_argument);
}

TEST(InetFilter, RequestsBothFamiliesInOneDump) {
  const InetRequest request = tcp_request({.states = mask(TcpState::listen)});
  EXPECT_EQ(request.type, TCPDIAG_GETSOCK);
  EXPECT_EQ(request.payload.size(), sizeof(inet_diag_req));
  EXPECT_EQ(value_at<inet_diag_req>(request.payload, 0).idiag_states, mask(TcpState::listen));
}

TEST(InetFilter, RequestsTcpInfoOnDemand) {
  constexpr std::uint8_t info = 1U << (INET_DIAG_INFO - 1);
  const InetFilter both{.ports = {{80, 80}}};
  EXPECT_EQ(value_at<inet_diag_req>(tcp_request(both).payload, 0).idiag_ext, 0);
  EXPECT_EQ(value_at<inet_diag_req>(tcp_request(both, true).payload, 0).idiag_ext, info);
  const InetFilter one{.family = AF_INET};
  EXPECT_EQ(value_at<inet_diag_req_v2>(tcp_request(one).payload, 0).idiag_ext, 0);
  EXPECT_EQ(value_at<inet_diag_req_v2>(tcp_request(one, true).payload, 0).idiag_ext, info);
}

TEST(InetFilter, AppendsBytecodeToTheRequest) {
  const InetFilter filter{.family = AF_INET6, .ports = {{80, 80}}};
  const InetRequest request = tcp_request(filter);
  EXPECT_EQ(request.type, SOCK_DIAG_BY_FAMILY);
  const auto header = value_at<inet_diag_req_v2>(request.payload, 0);
  EXPECT_EQ(header.sdiag_family, AF_INET6);
  EXPECT_EQ(header.sdiag_protocol, IPPROTO_TCP);
  const auto attribute = value_at<nlattr>(request.payload, sizeof header);
  EXPECT_EQ(attribute.nla_type, INET_DIAG_REQ_BYTECODE);
  EXPECT_EQ(attribute.nla_len, request.payload.size() - sizeof header);
}

TEST(AddressPrefix, RejectsMalformedText) {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "/"sv, "/8"sv, "10.0.0.0/"sv, "10.0.0.0/33"sv, "10.0.0.0/-1"sv, "10.0.0.0/08x"sv,
        "10.0.0/8"sv, "::/129"sv, "::/300"sv, "host"sv, "[::1]"sv, "::1/64/64"sv, "10.0.0.1 "sv,
        "10.0.0.1\0/8"sv, "::ffff:300.0.0.1"sv}) {
    EXPECT_FALSE(parse_address_prefix(text)) << text;
  }
}

}  // namespace
}  // namespace inetdiag::kernel
