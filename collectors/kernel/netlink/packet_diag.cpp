#include "collectors/kernel/netlink/packet_diag.h"

#include <algorithm>
#include <bit>

#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/attributes.h"

namespace inetdiag::kernel {

std::optional<PacketSocket> parse_packet_socket(std::span<const std::byte> payload) {
  if (payload.size() < sizeof(packet_diag_msg)) {
    return std::nullopt;
  }
  const auto message = copy_prefix<packet_diag_msg>(payload);
  PacketSocket socket{.protocol = message.pdiag_num, .inode = message.pdiag_ino};
  for_each_attribute(payload.subspan(sizeof message),
                     [&](int type, std::span<const std::byte> value) {
                       if (type == PACKET_DIAG_MEMINFO) {
                         using Words = std::array<std::uint32_t, SK_MEMINFO_VARS>;
                         const auto words = copy_prefix<Words>(value);
                         socket.queued_bytes = words[SK_MEMINFO_RMEM_ALLOC];
                         socket.drops = words[SK_MEMINFO_DROPS];
                       }
                     });
  return socket;
}

std::array<std::byte, 20> packet_dump_payload() {
  packet_diag_req request{};
  request.sdiag_family = AF_PACKET;
  request.pdiag_show = PACKET_SHOW_MEMINFO;
  return std::bit_cast<std::array<std::byte, sizeof request>>(request);
}

}  // namespace inetdiag::kernel
