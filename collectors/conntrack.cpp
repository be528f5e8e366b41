#include "collectors/conntrack.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "collectors/kernel/netlink/conntrack_stats.h"
#include "collectors/kernel/proc/stat_table.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

using kernel::ConntrackStats;

constexpr const char* stat_file = "net/stat/nf_conntrack";

struct Counter {
  std::string_view column;
  std::optional<std::uint64_t> ConntrackStats::*field;
  std::string_view metric;
  std::string_view help;
};

constexpr auto counters = std::to_array<Counter>({
    {"insert_failed", &ConntrackStats::insert_failed, "inetdiag_conntrack_insert_failed_total",
     "Packets dropped because their connection could not be inserted, mostly because of a race "
     "with another packet of the connection (/proc/net/stat/nf_conntrack)."},
    {"drop", &ConntrackStats::drop, "inetdiag_conntrack_drop_total",
     "Packets dropped because their connection could not be tracked, mostly because the table was "
     "full (/proc/net/stat/nf_conntrack)."},
    {"early_drop", &ConntrackStats::early_drop, "inetdiag_conntrack_early_drop_total",
     "Connections evicted to make room for new ones because the table was full "
     "(/proc/net/stat/nf_conntrack)."},
    {"search_restart", &ConntrackStats::search_restart, "inetdiag_conntrack_search_restart_total",
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
    const auto text = context.proc.read(stat_file);
    const ConntrackStats stats = text ? stats_of(*text) : dump(context, collection);
    for (const Counter& counter : counters) {
      if (const auto& sum = stats.*counter.field) {
        auto& family =
            collection.families.emplace_back(counter_family(counter.metric, counter.help));
        add_series(family, {}, static_cast<double>(*sum));
      }
    }
    return collection;
  }

 private:
  static ConntrackStats stats_of(std::string_view text) {
    ConntrackStats stats;
    const auto columns = kernel::parse_stat_table(text);
    for (const Counter& counter : counters) {
      if (const auto column = columns.find(counter.column); column != columns.end()) {
        stats.*counter.field = column->second.sum;
      }
    }
    return stats;
  }

  static ConntrackStats dump(const ScrapeContext& context, Collection& collection) {
    try {
      return kernel::dump_conntrack_stats(context.netlink, context.deadline);
    } catch (const std::system_error& error) {
      // net/netfilter/nfnetlink.c, nfnetlink_rcv and nfnetlink_rcv_msg.
      const bool is_denied = error.code() == std::errc::operation_not_permitted;
      collection.missing.push_back(
          std::string("drop counters of connection tracking (this kernel has no "
                      "/proc/net/stat/nf_conntrack; over nfnetlink they need ") +
          (is_denied ? "CAP_NET_ADMIN)"
                     : std::string("modprobe nf_conntrack_netlink: ") + error.what() + ")"));
      return {};
    }
  }
};

}  // namespace

std::unique_ptr<Collector> make_conntrack(const Settings& /*settings*/) {
  return std::make_unique<Conntrack>();
}

bool needs_nfnetlink(const kernel::FileTree& proc) {
  try {
    return !proc.read(stat_file);
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace inetdiag
