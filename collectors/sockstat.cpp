#include "collectors/sockstat.h"

#include <array>
#include <string_view>

#include <unistd.h>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/proc/sockstat.h"
#include "collectors/support/family.h"

namespace inetdiag {
namespace {

enum class Unit { sockets, pages };
enum class Scope { host, network_namespace };

struct Value {
  std::string_view metric;
  std::string_view protocol;
  std::string_view key;
  Unit unit;
  Scope scope;
  std::string_view help;
};

constexpr auto values = std::to_array<Value>({
    {"inetdiag_tcp_orphans", "TCP", "orphan", Unit::sockets, Scope::host,
     "TCP connections of the host without a process; beyond net.ipv4.tcp_max_orphans they are "
     "reset (/proc/net/sockstat)."},
    {"inetdiag_tcp_time_wait", "TCP", "tw", Unit::sockets, Scope::network_namespace,
     "Timewait sockets, in TIME_WAIT or FIN_WAIT2; beyond net.ipv4.tcp_max_tw_buckets connections "
     "close without TIME_WAIT (/proc/net/sockstat)."},
    {"inetdiag_tcp_allocated_sockets", "TCP", "alloc", Unit::sockets, Scope::host,
     "TCP sockets of the host in any state but TIME_WAIT (/proc/net/sockstat)."},
    {"inetdiag_tcp_memory_bytes", "TCP", "mem", Unit::pages, Scope::host,
     "Memory of the buffers of all TCP sockets of the host, limited by net.ipv4.tcp_mem "
     "(/proc/net/sockstat)."},
    {"inetdiag_udp_memory_bytes", "UDP", "mem", Unit::pages, Scope::host,
     "Memory of the buffers of all UDP sockets of the host, limited by net.ipv4.udp_mem "
     "(/proc/net/sockstat)."},
});

struct MemoryLimit {
  std::string_view metric;
  std::string_view sysctl;
  std::string_view help;
};

constexpr auto memory_limits = std::to_array<MemoryLimit>({
    {"inetdiag_tcp_memory_limit_bytes", "sys/net/ipv4/tcp_mem",
     "Thresholds of the memory of all TCP sockets: no limits below low, smaller buffers above "
     "pressure, at most high (net.ipv4.tcp_mem)."},
    {"inetdiag_udp_memory_limit_bytes", "sys/net/ipv4/udp_mem",
     "Thresholds of the memory of all UDP sockets: above high, datagrams are dropped "
     "(net.ipv4.udp_mem)."},
});

class Sockstat final : public Collector {
 public:
  Collection collect(const ScrapeContext& context) override {
    Collection collection;
    const auto text = context.proc.read("net/sockstat");
    if (!text) {
      collection.errors.emplace_back("no net/sockstat below --path.procfs");
      return collection;
    }
    const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
    for (const Value& value : values) {
      if (context.is_other_namespace && value.scope == Scope::host) {
        continue;
      }
      if (const auto count = kernel::sockstat_value(*text, value.protocol, value.key)) {
        collection.families.push_back(single_gauge(
            value.metric, value.help,
            static_cast<double>(*count) * (value.unit == Unit::pages ? page_bytes : 1)));
      }
    }
    if (!context.is_other_namespace) {
      add_memory_limits(context, page_bytes, collection);
    }
    return collection;
  }

 private:
  static void add_memory_limits(const ScrapeContext& context, double page_bytes,
                                Collection& collection) {
    for (const MemoryLimit& limit : memory_limits) {
      auto& family = collection.families.emplace_back(gauge_family(limit.metric, limit.help));
      std::string_view text = context.proc.read(limit.sysctl).value_or("");
      for (const char* field : {"low", "pressure", "high"}) {
        if (const auto pages = kernel::to_double(kernel::next_word(text))) {
          add_series(family, {{"field", field}}, *pages * page_bytes);
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Collector> make_sockstat(const Settings& /*settings*/) {
  return std::make_unique<Sockstat>();
}

}  // namespace inetdiag
