#include "collectors/packet.h"

#include <linux/if_ether.h>
#include <linux/packet_diag.h>

#include "collectors/kernel/netlink/packet_diag.h"
#include "tests/fuzz/sockets.h"

namespace inetdiag::fuzz {

void run(std::string_view input) { collect(*make_packet({}), input); }

std::vector<std::string> seeds() {
  packet_diag_msg message{};
  message.pdiag_family = AF_PACKET;
  message.pdiag_num = ETH_P_LLDP;
  testing::Bytes bytes;
  testing::append(bytes, message);
  testing::Bytes memory;
  testing::append(memory, std::array<std::uint32_t, SK_MEMINFO_VARS>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  testing::append_attribute(bytes, PACKET_DIAG_MEMINFO, memory);
  return {chunk(bytes), chunk(bytes) + chunk(bytes)};
}

}  // namespace inetdiag::fuzz
