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

constexpr auto specs = std::to_array<FamilySpec<SoftnetCpu>>({
    {Counter, "inetdiag_softnet_processed_total",
     "Packets that this CPU took into the network stack (/proc/net/softnet_stat).",
     field<&SoftnetCpu::processed>},
    {Counter, "inetdiag_softnet_dropped_total",
     "Packets dropped because this CPU's backlog was full (/proc/net/softnet_stat): "
     "net.core.netdev_max_backlog is too small or the CPU too slow.",
     field<&SoftnetCpu::dropped>},
    {Counter, "inetdiag_softnet_time_squeezed_total",
     "Times that this CPU had packets left when its round was over (/proc/net/softnet_stat), by "
     "net.core.netdev_budget or by time.",
     field<&SoftnetCpu::time_squeezed>},
    {Counter, "inetdiag_softnet_received_rps_total",
     "Times that another CPU woke this one to take packets (/proc/net/softnet_stat, RPS).",
     field<&SoftnetCpu::received_rps>},
    {Counter, "inetdiag_softnet_flow_limit_total",
     "Packets of large flows dropped to spare small ones (/proc/net/softnet_stat).",
     field<&SoftnetCpu::flow_limit>},
    {Gauge, "inetdiag_softnet_backlog_length",
     "Packets that wait on this CPU now (/proc/net/softnet_stat), at most "
     "net.core.netdev_max_backlog.",
     field<&SoftnetCpu::backlog_length>},
});

class Softnet final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto text = context.proc.read("net/softnet_stat");
    const auto cpus = kernel::parse_softnet(text.value_or(""));
    if (cpus.empty()) {
      collection.errors.emplace_back("nothing to read in net/softnet_stat below --path.procfs");
      return collection;
    }
    FamilyTable<SoftnetCpu> families(specs);
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
