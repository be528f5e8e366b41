#include "collectors/kernel/netlink/udp_table.h"

#include <array>

#include <linux/sock_diag.h>
#include <sys/socket.h>

namespace inetdiag::kernel {

void dump_udp(const NetlinkFactory& open, const Deadline& deadline,
              const std::function<void(const UdpSocket&)>& each) {
  for (const std::uint8_t family : std::array<std::uint8_t, 2>{AF_INET, AF_INET6}) {
    dump(open, SOCK_DIAG_BY_FAMILY, udp_dump_payload(family), deadline,
         [&](std::span<const std::byte> payload) {
           const auto socket = parse_inet_socket(payload);
           if (!socket) {
             return;
           }
           const InetAttributes attributes = parse_inet_attributes(payload);
           each({.endpoint = {socket->local, socket->local_port, socket->device},
                 .is_connected = socket->state == TcpState::established,
                 .cookie = socket->cookie,
                 .receive_queue = socket->receive_queue,
                 .receive_limit = attributes.receive_limit.value_or(0),
                 .drops = attributes.drops.value_or(0),
                 .cgroup_id = attributes.cgroup_id});
         });
  }
}

}  // namespace inetdiag::kernel
