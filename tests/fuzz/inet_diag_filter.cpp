// Ports and peers as for `sockets`, one per line, and their bytecode.
#include "collectors/kernel/netlink/inet_diag_filter.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "collectors/kernel/base/text.h"
#include "tests/fuzz/target.h"
#include "tests/unit/support/inet_diag_bytecode.h"

namespace inetdiag::fuzz {
namespace {

using kernel::AddressPrefix;
using testing::SocketEnds;

std::string text_of(const AddressPrefix& network) {
  std::string text = network.address.text();
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text + "/" + std::to_string(network.prefix);
}

void require_selection(const kernel::InetFilter& filter, const SocketEnds& ends) {
  const bool has_port = std::ranges::any_of(filter.ports, [&](const kernel::PortRange& range) {
    return (range.first <= ends.local_port && ends.local_port <= range.last) ||
           (range.first <= ends.peer_port && ends.peer_port <= range.last);
  });
  const bool has_peer = std::ranges::any_of(filter.peers, [&](const AddressPrefix& peer) {
    return testing::passes(kernel::bytecode_of({.peers = {peer}}), ends);
  });
  require(testing::passes(kernel::bytecode_of(filter), ends) ==
              ((filter.ports.empty() || has_port) && (filter.peers.empty() || has_peer)),
          "sockets match one of the ports and one of the peers");
}

}  // namespace

void run(std::string_view input) {
  kernel::InetFilter filter;
  while (!input.empty()) {
    const std::string_view word = kernel::next_line(input);
    std::string_view rest = word;
    const auto first = kernel::to_number<std::uint16_t>(kernel::cut(rest, '-'));
    const auto last = rest.empty() ? first : kernel::to_number<std::uint16_t>(rest);
    if (first && last && *first <= *last) {
      filter.ports.push_back({*first, *last});
    } else if (const auto network = kernel::parse_address_prefix(word)) {
      require(kernel::parse_address_prefix(text_of(*network)) == network,
              "networks survive a round trip");
      filter.peers.push_back(*network);
    }
  }
  require(testing::audit_error(kernel::bytecode_of(filter)).empty(),
          "the bytecode passes the audit");
  const kernel::InetAddress local = kernel::InetAddress::any(AF_INET6);
  const std::uint16_t port = filter.ports.empty() ? 1 : filter.ports.back().first;
  for (const AddressPrefix& network : filter.peers) {
    const SocketEnds inside{local, port, network.address, 2};
    require(testing::passes(kernel::bytecode_of(filter), inside), "networks contain their address");
    require_selection(filter, {local, 2, network.address, 3});
  }
  require_selection(filter, {local, port, local, 2});
  require_selection(filter, {local, 1, kernel::InetAddress::any(AF_INET).mapped(), port});
}

std::vector<std::string> seeds() {
  return {"80\n443\n0\n65535", "10.0.0.0/8\n192.0.2.1\n0.0.0.0/0",
          "2001:db8::/33\n::1\n::ffff:10.0.0.0/104\n::ffff:1.2.3.4/50\n::/0",
          "80\n10.0.0.0/8\n::/1", "1000-2000\n443\n5-4\n0-65535"};
}

}  // namespace inetdiag::fuzz
