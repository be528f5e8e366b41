#include "collectors/packet.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <linux/if_ether.h>
#include <linux/sock_diag.h>

#include "collectors/kernel/netlink/packet_diag.h"
#include "collectors/support/socket_drops.h"

namespace inetdiag {
namespace {

constexpr SocketDropFamilies packet_families = {
    .sockets =
        {"inetdiag_packet_sockets",
         "Number of packet sockets by protocol; those of protocol none only send (packet_diag)."},
    .queued_bytes = {"inetdiag_packet_receive_queue_bytes",
                     "Memory of packets that the programs have not read, with kernel overhead, "
                     "summed over the sockets (packet_diag SK_MEMINFO_RMEM_ALLOC)."},
    .drops = {"inetdiag_packet_drops_total",
              "Packets that a packet socket dropped, mostly because its receive buffer was full; "
              "not those of a socket with a ring, as that of tcpdump (packet_diag "
              "SK_MEMINFO_DROPS)."},
    .socket_drops = {"inetdiag_packet_socket_drops_total",
                     "Packets that a socket dropped, for the 10 open sockets with most of them "
                     "(packet_diag SK_MEMINFO_DROPS)."},
    .socket_queued_bytes = {"inetdiag_packet_socket_receive_queue_bytes",
                            "Receive queue of these sockets (packet_diag SK_MEMINFO_RMEM_ALLOC)."},
    .socket_info = {"inetdiag_packet_socket_info",
                    "A process that has such a socket open, once its drops grew (/proc/PID/fd, "
                    "/proc/PID/stat)."},
};

struct EthernetProtocol {
  std::uint16_t number;
  std::string_view name;
};

/// linux/if_ether.h. Others are aggregated: a process can open sockets of all 65,536.
constexpr auto ethernet_protocols = std::to_array<EthernetProtocol>({
    {0, "none"},
    {ETH_P_ALL, "all"},
    {ETH_P_IP, "ip"},
    {ETH_P_IPV6, "ipv6"},
    {ETH_P_ARP, "arp"},
    {ETH_P_8021Q, "802.1q"},
    {ETH_P_8021AD, "802.1ad"},
    {ETH_P_802_2, "802.2"},
    {ETH_P_LLDP, "lldp"},
    {ETH_P_SLOW, "slow"},
    {ETH_P_PAE, "pae"},
    {ETH_P_PPP_DISC, "ppp_disc"},
    {ETH_P_PPP_SES, "ppp_ses"},
    {ETH_P_1588, "1588"},
});

std::string ethernet_protocol_name(std::uint16_t protocol) {
  const auto* const found =
      std::ranges::find(ethernet_protocols, protocol, &EthernetProtocol::number);
  return found == ethernet_protocols.end() ? "other" : std::string(found->name);
}

class PacketSockets final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    std::vector<ReceivingSocket> sockets;
    try {
      kernel::dump(
          context.netlink, SOCK_DIAG_BY_FAMILY, kernel::packet_dump_payload(), context.deadline,
          [&](std::span<const std::byte> payload) {
            if (const auto socket = kernel::parse_packet_socket(payload)) {
              sockets.push_back({.labels = {{"protocol", ethernet_protocol_name(socket->protocol)}},
                                 .inode = socket->inode,
                                 .queued_bytes = socket->queued_bytes,
                                 .drops = socket->drops});
              kernel::check_kept_sockets(sockets.size(), "packet sockets");
            }
          });
    } catch (const std::system_error& error) {
      if (error.code().value() != ENOENT && error.code().value() != EOPNOTSUPP) {
        throw;
      }
      collection.missing.emplace_back("packet sockets (modprobe packet_diag)");
      return collection;
    }
    collection.families = counter_.collect(sockets, context);
    return collection;
  }

 private:
  SocketDropCounter counter_{packet_families};
};

}  // namespace

std::unique_ptr<Collector> make_packet(const Settings& /*settings*/) {
  return std::make_unique<PacketSockets>();
}

}  // namespace inetdiag
