#include "collectors/tcp.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/kernel/netlink/tcp_states.h"
#include "collectors/kernel/proc/counter_file.h"
#include "collectors/kernel/proc/sockstat.h"
#include "collectors/support/family.h"
#include "collectors/support/thread_cpu.h"

namespace inetdiag {
namespace {

using kernel::StateCounts;
using kernel::TcpState;

bool is_connected(TcpState state) { return state != TcpState::listen && state != TcpState::close; }

prometheus::MetricFamily totals(const StateCounts& counts) {
  auto family =
      gauge_family("inetdiag_tcp_sockets",
                   "Number of IPv4 and IPv6 TCP sockets by state; many in close_wait mean "
                   "that a program does not close its connections (inet_diag).");
  for (const auto& [state, name] : kernel::tcp_states) {
    add_series(family, {{"state", std::string(name)}},
               static_cast<double>(counts[kernel::slot(state)]));
  }
  return family;
}

struct PortCounts {
  std::uint16_t port;
  StateCounts counts;

  std::uint64_t sum() const {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }
};

void add(StateCounts& sum, const StateCounts& counts) {
  std::ranges::transform(sum, counts, sum.begin(), std::plus<>());
}

void add_port(prometheus::MetricFamily& family, const std::string& port,
              const StateCounts& counts) {
  for (const auto& [state, name] : kernel::tcp_states) {
    if (is_connected(state)) {
      add_series(family, {{"port", port}, {"state", std::string(name)}},
                 static_cast<double>(counts[kernel::slot(state)]));
    }
  }
}

/// The connected sockets of one full dump.
struct Breakdown {
  CpuBudget::Clock::time_point dumped_at;
  std::vector<PortCounts> ports;  ///< sorted by port
  StateCounts other{};
  std::uint64_t receive_queue_bytes = 0;
  std::uint64_t send_queue_bytes = 0;
};

/// Keeps the ports with the most sockets, preferring lower ports on a tie, and aggregates the
/// others.
Breakdown breakdown_of(const kernel::FullDump& full_dump, std::size_t max_ports,
                       CpuBudget::Clock::time_point dumped_at) {
  Breakdown breakdown{.dumped_at = dumped_at,
                      .ports = {},
                      .other = full_dump.without_listener,
                      .receive_queue_bytes = full_dump.receive_queue_bytes,
                      .send_queue_bytes = full_dump.send_queue_bytes};
  auto& ports = breakdown.ports;
  ports.reserve(full_dump.by_listening_port.size());
  for (const auto& [port, counts] : full_dump.by_listening_port) {
    ports.push_back({port, counts});
  }
  std::ranges::sort(ports, {}, [](const PortCounts& port) {
    return std::tuple(std::numeric_limits<std::uint64_t>::max() - port.sum(), port.port);
  });
  while (ports.size() > max_ports) {
    add(breakdown.other, ports.back().counts);
    ports.pop_back();
  }
  std::ranges::sort(ports, {}, &PortCounts::port);
  return breakdown;
}

void add_families(std::vector<prometheus::MetricFamily>& families, const Breakdown& breakdown,
                  std::chrono::duration<double> age) {
  auto& by_port = families.emplace_back(gauge_family(
      "inetdiag_tcp_port_sockets",
      "Number of TCP sockets by local port and state, port=\"other\" for outgoing connections and "
      "other ports without a listener (inet_diag)."));
  for (const auto& [port, counts] : breakdown.ports) {
    add_port(by_port, std::to_string(port), counts);
  }
  add_port(by_port, "other", breakdown.other);
  families.push_back(single_gauge(
      "inetdiag_tcp_port_sockets_age_seconds",
      "Age of the dump behind the sockets by port and the bytes in queues, 0 if it was "
      "made in this scrape (inet_diag).",
      age.count()));
  families.push_back(single_gauge(
      "inetdiag_tcp_receive_queue_bytes",
      "Bytes in receive queues of connected sockets, not yet read (inet_diag idiag_rqueue).",
      static_cast<double>(breakdown.receive_queue_bytes)));
  families.push_back(single_gauge(
      "inetdiag_tcp_send_queue_bytes",
      "Bytes in send queues of connected sockets, not yet acknowledged (inet_diag idiag_wqueue).",
      static_cast<double>(breakdown.send_queue_bytes)));
}

/// The sources are read at different times, so `part` may be larger.
std::uint64_t subtract(std::uint64_t count, std::uint64_t part) {
  return count > part ? count - part : 0;
}

/// Returns the counts of all states without a dump of ESTABLISHED and TIME_WAIT sockets;
/// std::nullopt if a file lacks the totals.
std::optional<StateCounts> cheap_totals(const ScrapeContext& context) {
  const auto sockstat = context.proc.read("net/sockstat");
  const auto timewaits = kernel::sockstat_value(sockstat.value_or(""), "TCP", "tw");
  // Sockets in ESTABLISHED and CLOSE_WAIT.
  const auto established =
      kernel::find_counter(context.proc.read("net/snmp").value_or(""), "Tcp", "CurrEstab");
  if (!timewaits || !established) {
    return std::nullopt;
  }
  const kernel::PartialDump& partial = context.tcp.partial_dump();
  StateCounts counts = partial.by_state;
  // In other network namespaces the dump may be of an earlier scrape.
  counts[slot(TcpState::listen)] = context.tcp.listeners().size();
  counts[slot(TcpState::time_wait)] = subtract(*timewaits, partial.timewait_in_fin_wait2);
  counts[slot(TcpState::established)] = subtract(*established, counts[slot(TcpState::close_wait)]);
  return counts;
}

class Tcp final : public Collector {
 public:
  Tcp(const Settings& settings, TcpClocks clocks)
      : max_ports_(
            settings.whole_number("max-ports", 0, std::numeric_limits<std::uint16_t>::max())),
        budget_(settings.percentage("cpu-budget")),
        clocks_(std::move(clocks)) {}

  Collection collect(const ScrapeContext& context) override {
    try {
      return count(context);
    } catch (const kernel::DumpNotDue&) {
      return {};
    }
  }

 private:
  Collection count(const ScrapeContext& context) {
    const auto begin = clocks_.now();
    std::optional<StateCounts> counts;
    if (!context.is_other_namespace && budget_.allows(begin)) {
      counts = count_within_budget(context, begin);
    }
    if (!counts) {
      counts = cheap_totals(context);
    }
    if (!counts) {
      counts = context.tcp.full_dump().partial.by_state;
    }
    Collection collection;
    collection.families.push_back(totals(*counts));
    // A full dump that has completed includes the partial one.
    collection.families.push_back(single_gauge(
        "inetdiag_tcp_syn_sent_retransmitted",
        "TCP sockets in SYN_SENT whose SYN was retransmitted, without those that connect to a "
        "listener of the same network namespace (inet_diag idiag_retrans).",
        static_cast<double>(context.tcp.partial_dump().syn_sent_retransmitted)));
    collection.families.push_back(
        single_gauge("inetdiag_tcp_stalled_closes",
                     "TCP sockets in FIN_WAIT1 or LAST_ACK that retransmit or probe a closed "
                     "window: their peers "
                     "are gone or do not read (inet_diag idiag_retrans, idiag_timer).",
                     static_cast<double>(context.tcp.partial_dump().stalled_closes)));
    if (breakdown_) {
      const bool is_fresh = breakdown_->dumped_at == begin;
      add_families(
          collection.families, *breakdown_,
          is_fresh ? CpuBudget::Clock::duration(0) : clocks_.now() - breakdown_->dumped_at);
    }
    return collection;
  }

  /// Returns std::nullopt if the full dump times out. In this case the previous breakdown is kept,
  /// and the CPU time is still charged to the budget.
  std::optional<StateCounts> count_within_budget(const ScrapeContext& context,
                                                 CpuBudget::Clock::time_point begin) {
    const auto cpu_before = clocks_.thread_cpu();
    std::optional<StateCounts> counts;
    try {
      const auto& full_dump = context.tcp.full_dump();
      breakdown_ = breakdown_of(full_dump, max_ports_, begin);
      counts = full_dump.partial.by_state;
    } catch (const kernel::DeadlineExceeded&) {
      counts.reset();
    }
    budget_.spend(begin, clocks_.thread_cpu() - cpu_before);
    return counts;
  }

  std::size_t max_ports_;
  CpuBudget budget_;
  TcpClocks clocks_;
  std::optional<Breakdown> breakdown_;
};

}  // namespace

std::unique_ptr<Collector> make_tcp(const Settings& settings) {
  return make_tcp_with_clocks(settings, {CpuBudget::Clock::now, thread_cpu});
}

std::unique_ptr<Collector> make_tcp_with_clocks(const Settings& settings, TcpClocks clocks) {
  return std::make_unique<Tcp>(settings, std::move(clocks));
}

}  // namespace inetdiag
