#include "collectors/ports.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "collectors/kernel/proc/ephemeral_ports.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

using kernel::DestinationPorts;
using kernel::DestinationsInUse;

constexpr std::uint64_t max_destinations = 1000;

class Ports final : public Collector {
 public:
  explicit Ports(const Settings& settings)
      : destinations_(settings.whole_number("destinations", 0, max_destinations)) {}

  Collection collect(const ScrapeContext& context) override {
    if (const kernel::FullDump* dump = context.tcp.full_dump_if_taken()) {
      if (dump->destinations) {
        last_ = dump->destinations;
      } else {
        (void)kernel::read_ephemeral_ports(context.proc);  // throws why they are unknown
      }
    }
    return last_ ? collection_of(*last_) : Collection();
  }

 private:
  Collection collection_of(const DestinationsInUse& in_use) const {
    const std::uint64_t at_least = in_use.fullest.empty() ? 0 : in_use.fullest.front().at_least;
    Collection collection;
    collection.families.push_back(single_gauge(
        "inetdiag_ephemeral_ports_usable",
        "Local ports that connect() can choose: the range without reserved ports and those of "
        "listeners (sysctl net.ipv4.ip_local_port_range, net.ipv4.ip_local_reserved_ports).",
        static_cast<double>(in_use.usable_ports)));
    collection.families.push_back(single_gauge(
        "inetdiag_ephemeral_ports_fill_ratio",
        "Share of the usable ports that connections from one source address to one destination "
        "address and port use, for the pair with the fewest left; at 1 connect() fails with "
        "EADDRNOTAVAIL (inet_diag).",
        in_use.fill(at_least)));
    collection.families.push_back(single_gauge(
        "inetdiag_ephemeral_ports_fill_error_ratio",
        "How much higher inetdiag_ephemeral_ports_fill_ratio can be, because only the most "
        "frequent destinations are counted; 0 if it is exact.",
        in_use.fill(in_use.at_most) - in_use.fill(at_least)));
    auto& used = collection.families.emplace_back(
        gauge_family("inetdiag_ephemeral_ports_used",
                     "Ephemeral ports in use by source address and destination, for the "
                     "destinations with the fewest left (inet_diag)."));
    for (const DestinationPorts& ports :
         std::span(in_use.fullest).first(std::min(destinations_, in_use.fullest.size()))) {
      add_series(
          used,
          {{"source", ports.destination.source.text()}, {"destination", ports.destination.text()}},
          static_cast<double>(ports.at_least));
    }
    return collection;
  }

  std::size_t destinations_;
  std::optional<DestinationsInUse> last_;
};

}  // namespace

std::unique_ptr<Collector> make_ports(const Settings& settings) {
  return std::make_unique<Ports>(settings);
}

}  // namespace inetdiag
