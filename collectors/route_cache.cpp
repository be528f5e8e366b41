#include "collectors/route_cache.h"

#include <compare>
#include <limits>
#include <string_view>
#include <tuple>

#include "collectors/kernel/base/text.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

/// Whether the kernel limits the destination entries of IPv6. Linux 6.3 ignores
/// net.ipv6.route.max_size, and sets it to the maximum ("ipv6: remove max_size check inline with
/// ipv4").
bool has_limit(std::string_view release, double max_size) {
  const auto major = kernel::to_number<unsigned>(kernel::cut(release, '.'));
  const auto minor = kernel::to_number<unsigned>(kernel::cut(release, '.'));
  return major && minor && std::tuple(*major, *minor) < std::tuple(6U, 3U) &&
         max_size < std::numeric_limits<int>::max();
}

class RouteCache final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto max_size = context.proc.read_number("sys/net/ipv6/route/max_size");
    if (!max_size ||
        !has_limit(context.proc.read("sys/kernel/osrelease").value_or(""), *max_size)) {
      return collection;
    }
    // Columns: fib_nodes fib_route_nodes fib_rt_alloc fib_rt_entries fib_rt_cache dst_entries
    // fib_discarded_routes (net/ipv6/route.c, rt6_stats_seq_show).
    constexpr int columns_before = 5;
    std::string_view text = context.proc.read("net/rt6_stats").value_or("");
    for (int i = 0; i < columns_before; ++i) {
      kernel::next_word(text);
    }
    const auto entries = kernel::hex_number(kernel::next_word(text));
    if (!entries) {
      collection.errors.emplace_back("no dst_entries in net/rt6_stats below --path.procfs");
      return collection;
    }
    collection.families.push_back(single_gauge("inetdiag_route_cache_entries",
                                               "IPv6 destination entries (/proc/net/rt6_stats).",
                                               static_cast<double>(*entries)));
    collection.families.push_back(
        single_gauge("inetdiag_route_cache_limit",
                     "Maximum number of IPv6 destination entries, before Linux 6.3; beyond it IPv6 "
                     "packets to new destinations fail (net.ipv6.route.max_size).",
                     *max_size));
    return collection;
  }
};

}  // namespace

std::unique_ptr<Collector> make_route_cache(const Settings& /*settings*/) {
  return std::make_unique<RouteCache>();
}

}  // namespace inetdiag
