#include "collectors/softnet.h"

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "collectors/kernel/proc/softnet.h"
#include "collectors/support/family_table.h"

namespace inetdiag {
namespace {

using enum prometheus::MetricType;
using kernel::SoftnetCpu;

constexpr auto softnet_families = std::to_array<FamilySpec<SoftnetCpu>>({
    {Counter, "inetdiag_softnet_processed_total",
     "Packets processed by this CPU (/proc/net/softnet_stat).", field<&SoftnetCpu::processed>},
    {Counter, "inetdiag_softnet_dropped_total",
     "Packets dropped because the backlog of this CPU was full, see net.core.netdev_max_backlog "
     "(/proc/net/softnet_stat).",
     field<&SoftnetCpu::dropped>},
    {Counter, "inetdiag_softnet_time_squeezed_total",
     "Times net_rx_action stopped with packets left, out of net.core.netdev_budget or time "
     "(/proc/net/softnet_stat).",
     field<&SoftnetCpu::time_squeezed>},
    {Counter, "inetdiag_softnet_received_rps_total",
     "Times another CPU sent this CPU an interrupt to process packets, with RPS "
     "(/proc/net/softnet_stat).",
     field<&SoftnetCpu::received_rps>},
    {Counter, "inetdiag_softnet_flow_limit_total",
     "Packets of large flows dropped by the flow limit, see net.core.flow_limit_cpu_bitmap "
     "(/proc/net/softnet_stat).",
     field<&SoftnetCpu::flow_limit>},
    {Gauge, "inetdiag_softnet_backlog_length",
     "Packets in the backlog of this CPU, at most net.core.netdev_max_backlog "
     "(/proc/net/softnet_stat).",
     field<&SoftnetCpu::backlog_length>},
});

class Softnet final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto text = context.proc.read("net/softnet_stat");
    const auto cpus = kernel::parse_softnet(text.value_or(""));
    if (cpus.empty()) {
      collection.errors.emplace_back("no CPUs in net/softnet_stat below --path.procfs");
      return collection;
    }
    FamilyTable<SoftnetCpu> families(softnet_families);
    std::set<std::uint64_t> seen;
    for (const SoftnetCpu& cpu : cpus) {
      if (seen.insert(cpu.cpu).second) {
        families.add({{"cpu", std::to_string(cpu.cpu)}}, cpu);
      }
    }
    collection.families = families.take();
    return collection;
  }
};

}  // namespace

std::unique_ptr<Collector> make_softnet(const Settings& /*settings*/) {
  return std::make_unique<Softnet>();
}

}  // namespace inetdiag
