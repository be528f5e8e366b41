#include "collectors/kernel/netlink/conntrack_stats.h"

#include <array>
#include <bit>
#include <cstddef>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/attributes.h"

namespace inetdiag::kernel {
namespace {

constexpr std::uint16_t stats_request = (NFNL_SUBSYS_CTNETLINK << 8U) | IPCTNL_MSG_CT_GET_STATS_CPU;

std::optional<std::uint64_t>* field_of(ConntrackStats& stats, int attribute) {
  switch (attribute) {
    case CTA_STATS_INSERT_FAILED:
      return &stats.insert_failed;
    case CTA_STATS_DROP:
      return &stats.drop;
    case CTA_STATS_EARLY_DROP:
      return &stats.early_drop;
    case CTA_STATS_SEARCH_RESTART:
      return &stats.search_restart;
    default:
      return nullptr;
  }
}

}  // namespace

void add_conntrack_stats(ConntrackStats& stats, std::span<const std::byte> payload) {
  if (payload.size() < sizeof(nfgenmsg)) {
    return;
  }
  for_each_attribute(payload.subspan(sizeof(nfgenmsg)),
                     [&](int type, std::span<const std::byte> value) {
                       auto* const field = field_of(stats, type);
                       if (field != nullptr && value.size() >= sizeof(std::uint32_t)) {
                         *field = field->value_or(0) + ntohl(copy_prefix<std::uint32_t>(value));
                       }
                     });
}

ConntrackStats dump_conntrack_stats(const NetlinkFactory& open, const Deadline& deadline) {
  const nfgenmsg request{.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = 0};
  ConntrackStats stats;
  dump(*open(NETLINK_NETFILTER), stats_request,
       std::bit_cast<std::array<std::byte, sizeof request>>(request), deadline,
       [&](std::span<const std::byte> payload) { add_conntrack_stats(stats, payload); });
  return stats;
}

}  // namespace inetdiag::kernel
