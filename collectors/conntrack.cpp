#include "collectors/conntrack.h"

#include <array>
#include <string>
#include <string_view>

#include "collectors/kernel/proc/stat_table.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

struct Counter {
  std::string_view column;
  std::string_view metric;
  std::string_view help;
};

constexpr auto counters = std::to_array<Counter>({
    {"insert_failed", "inetdiag_conntrack_insert_failed_total",
     "Packets dropped because their connection could not be inserted, mostly because of a race "
     "with another packet of the connection (/proc/net/stat/nf_conntrack)."},
    {"drop", "inetdiag_conntrack_drop_total",
     "Packets dropped because their connection could not be tracked, mostly because the table was "
     "full (/proc/net/stat/nf_conntrack)."},
    {"early_drop", "inetdiag_conntrack_early_drop_total",
     "Connections evicted to make room for new ones because the table was full "
     "(/proc/net/stat/nf_conntrack)."},
    {"search_restart", "inetdiag_conntrack_search_restart_total",
     "Lookups restarted because the hash table was resized (/proc/net/stat/nf_conntrack)."},
});

class Conntrack final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto entries = context.proc.read_number("sys/net/netfilter/nf_conntrack_count");
    if (!entries) {
      collection.missing.emplace_back("connection tracking (nf_conntrack is not loaded)");
      return collection;
    }
    collection.families.push_back(single_gauge(
        "inetdiag_conntrack_entries",
        "Number of tracked connections (net.netfilter.nf_conntrack_count).", *entries));
    if (const auto limit = context.proc.read_number("sys/net/netfilter/nf_conntrack_max")) {
      collection.families.push_back(single_gauge(
          "inetdiag_conntrack_limit",
          "Maximum number of tracked connections; beyond it packets of new ones are dropped "
          "(net.netfilter.nf_conntrack_max).",
          *limit));
    }
    const auto text = context.proc.read("net/stat/nf_conntrack");
    const auto columns = kernel::parse_stat_table(text.value_or(""));
    for (const Counter& counter : counters) {
      if (const auto column = columns.find(counter.column); column != columns.end()) {
        auto& family =
            collection.families.emplace_back(counter_family(counter.metric, counter.help));
        add_series(family, {}, static_cast<double>(column->second.sum));
      }
    }
    return collection;
  }
};

}  // namespace

std::unique_ptr<Collector> make_conntrack(const Settings& /*settings*/) {
  return std::make_unique<Conntrack>();
}

}  // namespace inetdiag
