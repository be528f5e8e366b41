#include "collectors/netlink.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <linux/netlink.h>

#include "collectors/kernel/proc/netlink_sockets.h"
#include "collectors/support/socket_drops.h"

namespace inetdiag {
namespace {

constexpr SocketDropFamilies netlink_families = {
    .sockets =
        {"inetdiag_netlink_sockets",
         "Number of netlink sockets of programs by protocol, without those of protocols route and "
         "sock_diag that joined no group (/proc/net/netlink)."},
    .queued_bytes = {"inetdiag_netlink_receive_queue_bytes",
                     "Memory of messages that the programs have not read, with kernel overhead, "
                     "summed over the sockets (/proc/net/netlink Rmem)."},
    .drops = {"inetdiag_netlink_drops_total",
              "Messages lost because the receive buffer of a socket was full; its program gets "
              "ENOBUFS (/proc/net/netlink Drops)."},
    .socket_drops = {"inetdiag_netlink_socket_drops_total",
                     "Messages that a socket lost, for the 10 open sockets with most of them "
                     "(/proc/net/netlink Drops)."},
    .socket_queued_bytes = {"inetdiag_netlink_socket_receive_queue_bytes",
                            "Receive queue of these sockets (/proc/net/netlink Rmem)."},
    .socket_info = {"inetdiag_netlink_socket_info",
                    "A process that has such a socket open, once its drops grew (/proc/PID/fd, "
                    "/proc/PID/stat)."},
};

/// linux/netlink.h, without the prefix NETLINK_.
constexpr auto netlink_protocol_names = std::to_array<std::string_view>(
    {"route",         "unused",   "usersock", "firewall",       "sock_diag",  "nflog",
     "xfrm",          "selinux",  "iscsi",    "audit",          "fib_lookup", "connector",
     "netfilter",     "ip6_fw",   "dnrtmsg",  "kobject_uevent", "generic",    "dm",
     "scsitransport", "ecryptfs", "rdma",     "crypto",         "smc"});

std::string netlink_protocol_name(std::uint32_t protocol) {
  return protocol < netlink_protocol_names.size() ? std::string(netlink_protocol_names[protocol])
                                                  : std::to_string(protocol);
}

/// Whether a socket only gets answers to its own requests, as those of this program. Such sockets
/// come and go.
bool is_for_requests(const kernel::NetlinkSocketEntry& socket) {
  return (socket.protocol == NETLINK_ROUTE || socket.protocol == NETLINK_SOCK_DIAG) &&
         socket.groups == 0 && socket.drops == 0;
}

class NetlinkSockets final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto text = context.proc.read("net/netlink");
    if (!text) {
      collection.errors.emplace_back("no net/netlink below --path.procfs");
      return collection;
    }
    std::vector<ReceivingSocket> sockets;
    for (const auto& socket : kernel::parse_netlink_sockets(*text)) {
      if (is_for_requests(socket)) {
        continue;
      }
      sockets.push_back({.labels = {{"protocol", netlink_protocol_name(socket.protocol)}},
                         .inode = socket.inode,
                         .queued_bytes = socket.queued_bytes,
                         .drops = socket.drops});
    }
    collection.families = counter_.collect(sockets, context);
    return collection;
  }

 private:
  SocketDropCounter counter_{netlink_families};
};

}  // namespace

std::unique_ptr<Collector> make_netlink(const Settings& /*settings*/) {
  return std::make_unique<NetlinkSockets>();
}

}  // namespace inetdiag
