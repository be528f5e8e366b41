#include "collectors/qdisc.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "collectors/kernel/netlink/interface_name.h"
#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/netlink/qdisc.h"
#include "collectors/support/family_table.h"

namespace inetdiag {
namespace {

using enum prometheus::MetricType;
using kernel::RootQdisc;

constexpr auto qdisc_families = std::to_array<FamilySpec<RootQdisc>>({
    {Gauge, "inetdiag_qdisc_queue_packets",
     "Packets in the queueing discipline of a device, those of its classes and hardware queues "
     "included (RTM_GETQDISC, TCA_STATS_QUEUE qlen).",
     field<&RootQdisc::queued_packets>},
    {Gauge, "inetdiag_qdisc_queue_bytes",
     "Bytes of these packets (RTM_GETQDISC, TCA_STATS_QUEUE backlog).",
     field<&RootQdisc::queued_bytes>},
    {Gauge, "inetdiag_qdisc_limit_packets",
     "Maximum number of packets in the queue, where the kind has a single one with such a limit "
     "(RTM_GETQDISC, TCA_OPTIONS).",
     field<&RootQdisc::limit_packets>},
    {Gauge, "inetdiag_qdisc_limit_bytes",
     "Maximum number of bytes in the queue, where the kind has a single one with such a limit "
     "(RTM_GETQDISC, TCA_OPTIONS).",
     field<&RootQdisc::limit_bytes>},
    {Counter, "inetdiag_qdisc_packets_total",
     "Packets that left the queueing discipline (RTM_GETQDISC, TCA_STATS_BASIC, TCA_STATS_PKT64).",
     field<&RootQdisc::packets>},
    {Counter, "inetdiag_qdisc_bytes_total",
     "Bytes that left the queueing discipline (RTM_GETQDISC, TCA_STATS_BASIC).",
     field<&RootQdisc::bytes>},
    {Counter, "inetdiag_qdisc_drops_total",
     "Packets dropped because the queue was full, or by the policy of the queueing discipline "
     "(RTM_GETQDISC, TCA_STATS_QUEUE drops).",
     field<&RootQdisc::drops>},
    {Counter, "inetdiag_qdisc_overlimits_total",
     "Times that packets exceeded the configured rate or limit (RTM_GETQDISC, TCA_STATS_QUEUE "
     "overlimits).",
     field<&RootQdisc::overlimits>},
    {Counter, "inetdiag_qdisc_requeues_total",
     "Packets that returned to the queue because the device had no room (RTM_GETQDISC, "
     "TCA_STATS_QUEUE requeues).",
     field<&RootQdisc::requeues>},
});

class Qdiscs final : public Collector {
 public:
  explicit Qdiscs(const Settings& settings)
      : max_(settings.whole_number("max", 0, std::numeric_limits<std::uint32_t>::max())) {}

  Collection collect(const ScrapeContext& context) override {
    std::vector<RootQdisc> qdiscs;
    kernel::dump(*context.netlink(NETLINK_ROUTE), RTM_GETQDISC, kernel::qdisc_dump_payload(),
                 context.deadline, [&](std::span<const std::byte> payload) {
                   auto qdisc = kernel::parse_root_qdisc(payload);
                   if (qdisc && qdisc->kind != "noqueue") {
                     qdiscs.push_back(std::move(*qdisc));
                   }
                 });
    std::ranges::sort(qdiscs, {}, [](const RootQdisc& qdisc) {
      return std::tuple(qdisc.drops == 0, qdisc.device);
    });
    Collection collection;
    FamilyTable<RootQdisc> families(qdisc_families);
    const std::size_t shown = std::min<std::size_t>(qdiscs.size(), max_);
    std::set<std::string> devices;  // a dump has two roots if one was replaced meanwhile
    for (std::size_t i = 0; i < shown; ++i) {
      const std::string device = kernel::interface_name(qdiscs[i].device);
      if (devices.insert(device).second) {
        families.add({{"device", device}, {"kind", qdiscs[i].kind}}, qdiscs[i]);
      }
    }
    collection.families = families.take();
    if (shown < qdiscs.size()) {
      collection.families.push_back(
          single_gauge("inetdiag_qdiscs_omitted",
                       "Devices with a queueing discipline but without series, because of "
                       "--collector.qdisc.max.",
                       static_cast<double>(qdiscs.size() - shown)));
    }
    return collection;
  }

 private:
  std::size_t max_;
};

}  // namespace

std::unique_ptr<Collector> make_qdisc(const Settings& settings) {
  return std::make_unique<Qdiscs>(settings);
}

}  // namespace inetdiag
