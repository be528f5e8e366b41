// The ports and peers of `sockets`, one in a line, and the bytecode that the kernel gets of them.
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

std::string text_of(const AddressPrefix& block) {
  std::string text = block.address.text();
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text + "/" + std::to_string(block.prefix);
}

void require_that_it_selects(const kernel::InetFilter& filter, const SocketEnds& ends) {
  const bool has_port = std::ranges::any_of(filter.ports, [&](std::uint16_t port) {
    return port == ends.local_port || port == ends.peer_port;
  });
  const bool has_peer = std::ranges::any_of(filter.peers, [&](const AddressPrefix& peer) {
    return testing::passes(kernel::bytecode_of({.peers = {peer}}), ends);
  });
  require(testing::passes(kernel::bytecode_of(filter), ends) ==
              ((filter.ports.empty() || has_port) && (filter.peers.empty() || has_peer)),
          "a socket passes with one of the ports and one of the peers");
}

}  // namespace

void run(std::string_view input) {
  kernel::InetFilter filter;
  while (!input.empty()) {
    const std::string_view word = kernel::next_line(input);
    if (const auto port = kernel::to_number<std::uint16_t>(word)) {
      filter.ports.push_back(*port);
    } else if (const auto block = kernel::parse_address_prefix(word)) {
      require(kernel::parse_address_prefix(text_of(*block)) == block,
              "a network can be written and read again");
      filter.peers.push_back(*block);
    }
  }
  require(testing::refusal_of(kernel::bytecode_of(filter)).empty(),
          "the kernel takes the bytecode");
  const kernel::InetAddress here = kernel::InetAddress::any(AF_INET6);
  const std::uint16_t port = filter.ports.empty() ? 1 : filter.ports.back();
  for (const AddressPrefix& block : filter.peers) {
    const SocketEnds inside{here, port, block.address, 2};
    require(testing::passes(kernel::bytecode_of(filter), inside), "a network holds its address");
    require_that_it_selects(filter, {here, 2, block.address, 3});
  }
  require_that_it_selects(filter, {here, port, here, 2});
  require_that_it_selects(filter, {here, 1, kernel::InetAddress::any(AF_INET).mapped(), port});
}

std::vector<std::string> seeds() {
  return {"80\n443\n0\n65535", "10.0.0.0/8\n192.0.2.1\n0.0.0.0/0",
          "2001:db8::/33\n::1\n::ffff:10.0.0.0/104\n::ffff:1.2.3.4/50\n::/0",
          "80\n10.0.0.0/8\n::/1"};
}

}  // namespace inetdiag::fuzz
