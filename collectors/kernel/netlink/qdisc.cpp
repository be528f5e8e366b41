#include "collectors/kernel/netlink/qdisc.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/attributes.h"

namespace inetdiag::kernel {
namespace {

enum class LimitUnit { packets, bytes };

/// Where the options of a kind have the limit of its queue.
struct LimitOption {
  std::string_view kind;
  int attribute;  ///< whole_options: the options are a struct
  std::size_t offset;
  LimitUnit unit;
};

constexpr int whole_options = -1;

// net/sched/sch_fifo.c, sch_tbf.c, sch_codel.c, sch_fq_codel.c, sch_fq.c, sch_pie.c, sch_fq_pie.c
constexpr auto limit_options = std::to_array<LimitOption>({
    {"pfifo", whole_options, offsetof(tc_fifo_qopt, limit), LimitUnit::packets},
    {"pfifo_head_drop", whole_options, offsetof(tc_fifo_qopt, limit), LimitUnit::packets},
    {"bfifo", whole_options, offsetof(tc_fifo_qopt, limit), LimitUnit::bytes},
    {"tbf", TCA_TBF_PARMS, offsetof(tc_tbf_qopt, limit), LimitUnit::bytes},
    {"codel", TCA_CODEL_LIMIT, 0, LimitUnit::packets},
    {"fq_codel", TCA_FQ_CODEL_LIMIT, 0, LimitUnit::packets},
    {"fq", TCA_FQ_PLIMIT, 0, LimitUnit::packets},
    {"pie", TCA_PIE_LIMIT, 0, LimitUnit::packets},
    {"fq_pie", TCA_FQ_PIE_LIMIT, 0, LimitUnit::packets},
});

std::string kind_of(std::span<const std::byte> value) {
  std::string text(value.size(), '\0');
  std::ranges::transform(value, text.begin(), [](std::byte b) { return static_cast<char>(b); });
  return text.substr(0, text.find('\0'));
}

std::optional<std::uint32_t> limit_at(std::span<const std::byte> bytes, std::size_t offset) {
  if (bytes.size() < offset + sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  return copy_prefix<std::uint32_t>(bytes.subspan(offset));
}

std::span<const std::byte> find_attribute(std::span<const std::byte> bytes, int wanted) {
  std::span<const std::byte> found;
  for_each_attribute(bytes, [&](int type, std::span<const std::byte> value) {
    found = type == wanted ? value : found;
  });
  return found;
}

void read_limit(RootQdisc& qdisc, std::span<const std::byte> options) {
  const auto* const option = std::ranges::find(limit_options, qdisc.kind, &LimitOption::kind);
  if (option == limit_options.end()) {
    return;
  }
  const auto value =
      option->attribute == whole_options ? options : find_attribute(options, option->attribute);
  (option->unit == LimitUnit::packets ? qdisc.limit_packets : qdisc.limit_bytes) =
      limit_at(value, option->offset);
}

void read_statistics(RootQdisc& qdisc, std::span<const std::byte> statistics) {
  std::optional<std::uint64_t> packets;
  for_each_attribute(statistics, [&](int type, std::span<const std::byte> value) {
    if (type == TCA_STATS_BASIC) {
      const auto basic = copy_prefix<gnet_stats_basic>(value);
      qdisc.bytes = basic.bytes;
      qdisc.packets = basic.packets;
    } else if (type == TCA_STATS_PKT64) {  // beyond 2^32 packets
      packets = copy_prefix<std::uint64_t>(value);
    } else if (type == TCA_STATS_QUEUE) {
      const auto queue = copy_prefix<gnet_stats_queue>(value);
      qdisc.queued_packets = queue.qlen;
      qdisc.queued_bytes = queue.backlog;
      qdisc.drops = queue.drops;
      qdisc.requeues = queue.requeues;
      qdisc.overlimits = queue.overlimits;
    }
  });
  qdisc.packets = packets.value_or(qdisc.packets);
}

}  // namespace

std::optional<RootQdisc> parse_root_qdisc(std::span<const std::byte> payload) {
  if (payload.size() < sizeof(tcmsg)) {
    return std::nullopt;
  }
  const auto message = copy_prefix<tcmsg>(payload);
  if (message.tcm_parent != TC_H_ROOT) {
    return std::nullopt;
  }
  const auto attributes = payload.subspan(sizeof message);
  RootQdisc qdisc;
  qdisc.device = static_cast<std::uint32_t>(message.tcm_ifindex);
  qdisc.kind = kind_of(find_attribute(attributes, TCA_KIND));
  read_limit(qdisc, find_attribute(attributes, TCA_OPTIONS));
  read_statistics(qdisc, find_attribute(attributes, TCA_STATS2));
  return qdisc;
}

std::array<std::byte, 20> qdisc_dump_payload() {
  tcmsg request{};
  request.tcm_family = AF_UNSPEC;
  return std::bit_cast<std::array<std::byte, sizeof request>>(request);
}

}  // namespace inetdiag::kernel
