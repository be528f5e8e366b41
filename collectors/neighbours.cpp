#include "collectors/neighbours.h"

#include <array>
#include <string>
#include <string_view>

#include "collectors/kernel/proc/stat_table.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

struct Table {
  const char* family;
  std::string_view statistics;
  std::string_view limit;
};

constexpr auto tables = std::to_array<Table>({
    {"ipv4", "net/stat/arp_cache", "sys/net/ipv4/neigh/default/gc_thresh3"},
    {"ipv6", "net/stat/ndisc_cache", "sys/net/ipv6/neigh/default/gc_thresh3"},
});

/// The tables are those of the host, for all network namespaces together. Only the initial one
/// shows them.
class Neighbours final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    auto entries = gauge_family(
        "inetdiag_neighbour_entries",
        "Entries in the neighbour table of the host, those of other network namespaces included "
        "(/proc/net/stat/arp_cache, ndisc_cache).");
    auto limit = gauge_family(
        "inetdiag_neighbour_limit",
        "Maximum number of entries in the neighbour table that are not permanent or learned by a "
        "routing program; beyond it packets to new neighbours are dropped "
        "(net.ipv4.neigh.default.gc_thresh3, net.ipv6.neigh.default.gc_thresh3).");
    auto table_fulls =
        counter_family("inetdiag_neighbour_table_fulls_total",
                       "Times that a neighbour could not be added because the table was full "
                       "(/proc/net/stat/arp_cache, ndisc_cache table_fulls).");
    auto forced_gc_runs = counter_family(
        "inetdiag_neighbour_forced_gc_runs_total",
        "Times that entries were removed to make room for new ones, above gc_thresh2 "
        "(/proc/net/stat/arp_cache, ndisc_cache forced_gc_runs).");
    Collection collection;
    for (const Table& table : tables) {
      const auto text = context.proc.read(table.statistics);
      const auto columns = kernel::parse_stat_table(text.value_or(""));
      const Labels labels = {{"family", table.family}};
      if (const auto found = columns.find("entries"); found != columns.end()) {
        add_series(entries, labels, static_cast<double>(found->second.first));
        if (const auto maximum = context.proc.read_number(table.limit)) {
          add_series(limit, labels, *maximum);
        }
      } else if (table.family == tables.front().family) {
        collection.missing.emplace_back(
            "neighbour tables (only the initial network namespace has their statistics)");
      }
      for (const auto& [column, family] :
           {std::pair{"table_fulls", &table_fulls}, std::pair{"forced_gc_runs", &forced_gc_runs}}) {
        if (const auto found = columns.find(column); found != columns.end()) {
          add_series(*family, labels, static_cast<double>(found->second.sum));
        }
      }
    }
    for (auto* family : {&entries, &limit, &table_fulls, &forced_gc_runs}) {
      collection.families.push_back(std::move(*family));
    }
    return collection;
  }
};

}  // namespace

std::unique_ptr<Collector> make_neighbours(const Settings& /*settings*/) {
  return std::make_unique<Neighbours>();
}

}  // namespace inetdiag
