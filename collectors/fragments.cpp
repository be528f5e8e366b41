#include "collectors/fragments.h"

#include <array>
#include <string_view>
#include <utility>

#include "collectors/kernel/proc/sockstat.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

struct IpVersion {
  const char* family;
  std::string_view file;
  std::string_view protocol;
  std::string_view limit;
};

constexpr auto ip_versions = std::to_array<IpVersion>({
    {"ipv4", "net/sockstat", "FRAG", "sys/net/ipv4/ipfrag_high_thresh"},
    {"ipv6", "net/sockstat6", "FRAG6", "sys/net/ipv6/ip6frag_high_thresh"},
});

class Fragments final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    auto datagrams = gauge_family(
        "inetdiag_fragments_datagrams",
        "Incomplete datagrams, which wait for more fragments (/proc/net/sockstat FRAG inuse, "
        "/proc/net/sockstat6 FRAG6 inuse).");
    auto memory = gauge_family(
        "inetdiag_fragments_memory_bytes",
        "Memory of the fragments that wait for reassembly (/proc/net/sockstat FRAG memory, "
        "/proc/net/sockstat6 FRAG6 memory).");
    auto limit = gauge_family(
        "inetdiag_fragments_memory_limit_bytes",
        "Maximum memory of the fragments; beyond it fragments of other datagrams are dropped "
        "(net.ipv4.ipfrag_high_thresh, net.ipv6.ip6frag_high_thresh).");
    for (const IpVersion& version : ip_versions) {
      const auto text = context.proc.read(version.file).value_or("");
      const Labels labels = {{"family", version.family}};
      const auto bytes = kernel::sockstat_value(text, version.protocol, "memory");
      if (!bytes) {
        continue;
      }
      add_series(memory, labels, static_cast<double>(*bytes));
      if (const auto count = kernel::sockstat_value(text, version.protocol, "inuse")) {
        add_series(datagrams, labels, static_cast<double>(*count));
      }
      if (const auto maximum = context.proc.read_number(version.limit)) {
        add_series(limit, labels, *maximum);
      }
    }
    Collection collection;
    for (auto* family : {&datagrams, &memory, &limit}) {
      collection.families.push_back(std::move(*family));
    }
    return collection;
  }
};

}  // namespace

std::unique_ptr<Collector> make_fragments(const Settings& /*settings*/) {
  return std::make_unique<Fragments>();
}

}  // namespace inetdiag
