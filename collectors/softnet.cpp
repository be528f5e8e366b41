#include "collectors/softnet.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "collectors/kernel/proc/softnet.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

struct Families {
  prometheus::MetricFamily processed =
      counter_family("inetdiag_softnet_processed_total",
                     "Packets that this CPU took into the network stack (/proc/net/softnet_stat).");
  prometheus::MetricFamily dropped = counter_family(
      "inetdiag_softnet_dropped_total",
      "Packets dropped because this CPU's backlog was full (/proc/net/softnet_stat): "
      "net.core.netdev_max_backlog is too small or the CPU too slow.");
  prometheus::MetricFamily time_squeezed = counter_family(
      "inetdiag_softnet_time_squeezed_total",
      "Times that this CPU had packets left when its round was over (/proc/net/softnet_stat), by "
      "net.core.netdev_budget or by time.");
  prometheus::MetricFamily received_rps = counter_family(
      "inetdiag_softnet_received_rps_total",
      "Times that another CPU woke this one to take packets (/proc/net/softnet_stat, RPS).");
  prometheus::MetricFamily flow_limit = counter_family(
      "inetdiag_softnet_flow_limit_total",
      "Packets of large flows dropped to spare small ones (/proc/net/softnet_stat).");
  prometheus::MetricFamily backlog_length =
      gauge_family("inetdiag_softnet_backlog_length",
                   "Packets that wait on this CPU now (/proc/net/softnet_stat), at most "
                   "net.core.netdev_max_backlog.");

  void add(const kernel::SoftnetCpu& cpu) {
    const Labels labels = {{"cpu", std::to_string(cpu.cpu)}};
    const auto add_known = [&](prometheus::MetricFamily& family,
                               std::optional<std::uint64_t> value) {
      if (value) {
        add_series(family, labels, static_cast<double>(*value));
      }
    };
    add_known(processed, cpu.processed);
    add_known(dropped, cpu.dropped);
    add_known(time_squeezed, cpu.time_squeezed);
    add_known(received_rps, cpu.received_rps);
    add_known(flow_limit, cpu.flow_limit);
    add_known(backlog_length, cpu.backlog_length);
  }

  std::vector<prometheus::MetricFamily> take() {
    std::vector<prometheus::MetricFamily> taken;
    for (auto* family :
         {&processed, &dropped, &time_squeezed, &received_rps, &flow_limit, &backlog_length}) {
      taken.push_back(std::move(*family));
    }
    return taken;
  }
};

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
    Families families;
    std::set<std::uint64_t> met;
    for (const kernel::SoftnetCpu& cpu : cpus) {
      if (met.insert(cpu.cpu).second) {
        families.add(cpu);
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
