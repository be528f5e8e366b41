#include "collectors/raw.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>

#include "collectors/kernel/proc/raw_sockets.h"
#include "collectors/kernel/proc/sockstat.h"
#include "collectors/support/socket_drops.h"

namespace inetdiag {
namespace {

constexpr SocketDropFamilies raw_families = {
    .sockets = {"inetdiag_raw_sockets",
                "Number of raw sockets by IP protocol (/proc/net/raw, /proc/net/raw6)."},
    .queued_bytes = {"inetdiag_raw_receive_queue_bytes",
                     "Memory of packets that the programs have not read, with kernel overhead, "
                     "summed over the sockets (/proc/net/raw rx_queue)."},
    .drops = {"inetdiag_raw_drops_total",
              "Packets that a raw socket dropped, mostly because its receive buffer was full: also "
              "those of a socket that its program uses only to send (/proc/net/raw drops)."},
    .socket_drops = {"inetdiag_raw_socket_drops_total",
                     "Packets that a socket dropped, for the 10 open sockets with most of them "
                     "(/proc/net/raw drops)."},
    .socket_queued_bytes = {"inetdiag_raw_socket_receive_queue_bytes",
                            "Receive queue of these sockets (/proc/net/raw rx_queue)."},
    .socket_info = {"inetdiag_raw_socket_info",
                    "A process that has such a socket open, once its drops grew (/proc/PID/fd, "
                    "/proc/PID/stat)."},
};

struct RawProtocol {
  std::uint8_t number;
  std::string_view name;
};

/// Protocols of which programs have raw sockets; the names are those of /etc/protocols.
constexpr auto raw_protocols = std::to_array<RawProtocol>({
    {IPPROTO_ICMP, "icmp"},
    {IPPROTO_IGMP, "igmp"},
    {IPPROTO_TCP, "tcp"},
    {IPPROTO_UDP, "udp"},
    {IPPROTO_GRE, "gre"},
    {IPPROTO_ESP, "esp"},
    {IPPROTO_AH, "ah"},
    {IPPROTO_ICMPV6, "ipv6-icmp"},
    {88, "eigrp"},
    {89, "ospf"},
    {IPPROTO_PIM, "pim"},
    {112, "vrrp"},
    {IPPROTO_SCTP, "sctp"},
    {IPPROTO_RAW, "raw"},
});

std::string raw_protocol_name(std::uint8_t protocol) {
  const auto* const found = std::ranges::find(raw_protocols, protocol, &RawProtocol::number);
  return found == raw_protocols.end() ? std::to_string(protocol) : std::string(found->name);
}

class RawSockets final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    std::vector<ReceivingSocket> sockets;
    if (may_have_sockets(context, "net/sockstat", "RAW")) {
      const auto ipv4 = context.proc.read("net/raw");
      if (!ipv4) {
        collection.errors.emplace_back("no net/raw below --path.procfs");
        return collection;
      }
      add(sockets, *ipv4, "ipv4");
    }
    if (may_have_sockets(context, "net/sockstat6", "RAW6")) {
      add(sockets, context.proc.read("net/raw6").value_or(""), "ipv6");
    }
    collection.families = counter_.collect(sockets, context);
    return collection;
  }

 private:
  /// Most network namespaces have no raw sockets, and sockstat is read anyway.
  static bool may_have_sockets(const ScrapeContext& context, std::string_view file,
                               std::string_view protocol) {
    if (!context.is_other_namespace) {
      return true;
    }
    const auto sockstat = context.proc.read(file);
    return kernel::sockstat_value(sockstat.value_or(""), protocol, "inuse") != 0;
  }

  static void add(std::vector<ReceivingSocket>& sockets, std::string_view text,
                  const char* family) {
    for (const auto& socket : kernel::parse_raw_sockets(text)) {
      sockets.push_back(
          {.labels = {{"family", family}, {"protocol", raw_protocol_name(socket.protocol)}},
           .inode = socket.inode,
           .queued_bytes = socket.queued_bytes,
           .drops = socket.drops});
    }
  }

  SocketDropCounter counter_{raw_families};
};

}  // namespace

std::unique_ptr<Collector> make_raw(const Settings& /*settings*/) {
  return std::make_unique<RawSockets>();
}

}  // namespace inetdiag
