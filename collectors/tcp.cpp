#include "collectors/tcp.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/kernel/netlink/tcp_states.h"
#include "collectors/kernel/proc/counter_file.h"
#include "collectors/kernel/proc/ephemeral_ports.h"
#include "collectors/kernel/proc/sockstat.h"
#include "collectors/support/curr_estab.h"
#include "collectors/support/family.h"
#include "collectors/support/thread_cpu.h"

namespace inetdiag {
namespace {

using kernel::ConnectionInfo;
using kernel::Connections;
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

struct PortConnections {
  std::uint16_t port;
  Connections connections;
  /// From the first dump with these unread queues to the last.
  std::chrono::duration<double> unread_unchanged{0};

  std::uint64_t sum() const {
    const StateCounts& counts = connections.by_state;
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }
};

/// The families of the connections by port.
class PortFamilies {
 public:
  void add(const std::string& port, const PortConnections& of_port) {
    const Connections& connections = of_port.connections;
    for (const auto& [state, name] : kernel::tcp_states) {
      if (is_connected(state)) {
        add_series(sockets_, {{"port", port}, {"state", std::string(name)}},
                   static_cast<double>(connections.by_state[kernel::slot(state)]));
      }
    }
    const auto add_stalled = [&](const char* reason, std::uint64_t count) {
      add_series(stalled_, {{"port", port}, {"reason", reason}}, static_cast<double>(count));
    };
    add_stalled("retransmission", connections.retransmitting);
    add_stalled("zero_window", connections.probing_window);
    add_stalled("keepalive", connections.keepalive_unanswered);
    add_series(unread_, {{"port", port}}, static_cast<double>(connections.unread));
    add_series(unchanged_, {{"port", port}}, of_port.unread_unchanged.count());
    add_series(receive_queue_, {{"port", port}},
               static_cast<double>(connections.longest_receive_queue));
    add_series(send_queue_, {{"port", port}}, static_cast<double>(connections.longest_send_queue));
  }

  void move_into(std::vector<prometheus::MetricFamily>& families) {
    for (auto* family :
         {&sockets_, &stalled_, &unread_, &unchanged_, &receive_queue_, &send_queue_}) {
      families.push_back(std::move(*family));
    }
  }

 private:
  prometheus::MetricFamily sockets_ = gauge_family(
      "inetdiag_tcp_port_sockets",
      "Number of TCP sockets by local port and state, port=\"outgoing\" for ports without a "
      "listener (inet_diag).");
  prometheus::MetricFamily stalled_ = gauge_family(
      "inetdiag_tcp_port_stalled_sockets",
      "Open connections that make no progress, by local port and reason: retransmission, the "
      "oldest segment has been retransmitted at least twice in a row; zero_window, the peer "
      "advertises a zero window; keepalive, a keepalive probe is unanswered (inet_diag "
      "idiag_timer, idiag_retrans).");
  prometheus::MetricFamily unread_ = gauge_family(
      "inetdiag_tcp_port_unread_sockets",
      "Established connections with bytes that the program of this host has not read, by local "
      "port, without those that wait for accept() (inet_diag idiag_rqueue).");
  prometheus::MetricFamily unchanged_ = gauge_family(
      "inetdiag_tcp_port_unread_unchanged_seconds",
      "Time for which none of the connections with unread bytes has received or read any, by local "
      "port, as seen in consecutive dumps (inet_diag idiag_rqueue).");
  prometheus::MetricFamily receive_queue_ = gauge_family(
      "inetdiag_tcp_port_receive_queue_max_bytes",
      "Bytes in the longest receive queue of the open connections, by local port (inet_diag "
      "idiag_rqueue).");
  prometheus::MetricFamily send_queue_ = gauge_family(
      "inetdiag_tcp_port_send_queue_max_bytes",
      "Bytes in the longest send queue of the open connections, by local port, unsent or not yet "
      "acknowledged (inet_diag idiag_wqueue).");
};

/// The families of struct tcp_info by port.
class InfoFamilies {
 public:
  void add(const std::string& port, const ConnectionInfo& info) {
    if (info.connections == 0) {
      return;
    }
    add_histogram(rtt_, port, info.rtt, ConnectionInfo::rtt_bounds);
    add_histogram(congestion_window_, port, info.congestion_window,
                  ConnectionInfo::congestion_window_bounds);
    add_series(retransmitted_, {{"port", port}}, static_cast<double>(info.retransmitted));
    const auto add_limited = [&](const char* limit, std::uint64_t count) {
      add_series(limited_, {{"port", port}, {"limit", limit}}, static_cast<double>(count));
    };
    add_limited("receive_window", info.receive_window_limited);
    add_limited("send_buffer", info.send_buffer_limited);
  }

  void move_into(std::vector<prometheus::MetricFamily>& families) {
    for (auto* family : {&rtt_, &congestion_window_, &retransmitted_, &limited_}) {
      families.push_back(std::move(*family));
    }
  }

 private:
  template <std::size_t Bounds>
  static void add_histogram(prometheus::MetricFamily& family, const std::string& port,
                            const kernel::BucketCounts<Bounds>& buckets,
                            const std::array<double, Bounds>& bounds) {
    auto& series = family.metric.emplace_back();
    series.label = {{"port", port}};
    series.histogram.sample_sum = buckets.sum;
    for (std::size_t i = 0; i <= Bounds; ++i) {
      series.histogram.sample_count += buckets.counts[i];
      series.histogram.bucket.push_back(
          {.cumulative_count = series.histogram.sample_count,
           .upper_bound = i < Bounds ? bounds.at(i) : std::numeric_limits<double>::infinity()});
    }
  }

  prometheus::MetricFamily rtt_ = {
      .name = "inetdiag_tcp_port_rtt_seconds",
      .help =
          "Smoothed round-trip times of the connections that are open now, by local port; not "
          "cumulative, so use it without rate() (tcpi_rtt).",
      .type = prometheus::MetricType::Histogram,
      .metric = {}};
  prometheus::MetricFamily congestion_window_ = {
      .name = "inetdiag_tcp_port_congestion_window_segments",
      .help =
          "Congestion windows of the connections that are open now, by local port; not "
          "cumulative, so use it without rate() (tcpi_snd_cwnd).",
      .type = prometheus::MetricType::Histogram,
      .metric = {}};
  prometheus::MetricFamily retransmitted_ = gauge_family(
      "inetdiag_tcp_port_retransmitted_sockets",
      "Open connections that have retransmitted a segment since they were opened, by local port "
      "(tcpi_total_retrans).");
  prometheus::MetricFamily limited_ =
      gauge_family("inetdiag_tcp_port_limited_sockets",
                   "Open connections that were limited for at least half of the time in which they "
                   "were sending, by local port (tcpi_rwnd_limited, tcpi_sndbuf_limited).");
};

/// The connected sockets of one full dump.
struct Breakdown {
  CpuBudget::Clock::time_point dumped_at;
  std::vector<PortConnections> ports;  ///< sorted by port
  PortConnections outgoing;            ///< those whose local port has no listener
  std::optional<Connections> other;    ///< of further ports with a listener
  std::uint64_t receive_queue_bytes = 0;
  std::uint64_t send_queue_bytes = 0;
};

/// Keeps the ports with the most sockets, preferring lower ports on a tie, and aggregates the
/// others.
Breakdown breakdown_of(const kernel::FullDump& full_dump, std::size_t max_ports,
                       CpuBudget::Clock::time_point dumped_at) {
  Breakdown breakdown{.dumped_at = dumped_at,
                      .ports = {},
                      .outgoing = {.port = 0, .connections = full_dump.without_listener},
                      .other = std::nullopt,
                      .receive_queue_bytes = full_dump.receive_queue_bytes,
                      .send_queue_bytes = full_dump.send_queue_bytes};
  auto& ports = breakdown.ports;
  ports.reserve(full_dump.by_listening_port.size());
  for (const auto& [port, connections] : full_dump.by_listening_port) {
    ports.push_back({.port = port, .connections = connections});
  }
  std::ranges::sort(ports, {}, [](const PortConnections& port) {
    return std::tuple(std::numeric_limits<std::uint64_t>::max() - port.sum(), port.port);
  });
  while (ports.size() > max_ports) {
    breakdown.other = breakdown.other.value_or(Connections()) += ports.back().connections;
    ports.pop_back();
  }
  std::ranges::sort(ports, {}, &PortConnections::port);
  return breakdown;
}

/// Since when the connections with unread bytes of each port have neither received nor read any.
class UnreadTimes {
 public:
  void update(Breakdown& breakdown) {
    std::map<std::uint16_t, Entry> entries;
    const auto update_port = [&](PortConnections& port) {
      const std::uint64_t fingerprint = port.connections.unread_fingerprint;
      const auto then = entries_.find(port.port);
      const bool is_unchanged = then != entries_.end() && then->second.fingerprint == fingerprint;
      const auto since = is_unchanged ? then->second.since : breakdown.dumped_at;
      if (port.connections.unread > 0) {
        entries[port.port] = {.fingerprint = fingerprint, .since = since};
        port.unread_unchanged = breakdown.dumped_at - since;
      }
    };
    std::ranges::for_each(breakdown.ports, update_port);
    update_port(breakdown.outgoing);
    entries_ = std::move(entries);
  }

 private:
  struct Entry {
    std::uint64_t fingerprint = 0;
    CpuBudget::Clock::time_point since;
  };

  std::map<std::uint16_t, Entry> entries_;
};

void add_families(std::vector<prometheus::MetricFamily>& families, const Breakdown& breakdown,
                  std::chrono::duration<double> age) {
  PortFamilies by_port;
  InfoFamilies info;
  const auto add = [&](const std::string& name, const PortConnections& port) {
    by_port.add(name, port);
    info.add(name, port.connections.info);
  };
  for (const PortConnections& port : breakdown.ports) {
    add(std::to_string(port.port), port);
  }
  add("outgoing", breakdown.outgoing);
  if (breakdown.other) {
    add("other", {.port = 0, .connections = *breakdown.other});
  }
  by_port.move_into(families);
  info.move_into(families);
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

/// A full dump of at most this many sockets costs little more than a partial dump.
constexpr std::uint64_t max_sockets_of_cheap_full_dump = 1000;

/// The totals of the files, which need no dump.
struct SocketTotals {
  std::uint64_t curr_estab = 0;  ///< see CurrEstab
  std::uint64_t timewaits = 0;   ///< with those in FIN_WAIT2
  /// Full sockets of both families: in LISTEN, or of a connection (net/ipv4/inet_hashtables.c,
  /// inet_hash and inet_ehash_nolisten).
  std::uint64_t full_sockets = 0;

  /// Returns std::nullopt if a file lacks one of them.
  static std::optional<SocketTotals> read(kernel::CachedFiles& proc) {
    const auto ipv4 = proc.read("net/sockstat").value_or("");
    const auto timewaits = kernel::sockstat_value(ipv4, "TCP", "tw");
    const auto in_use = kernel::sockstat_value(ipv4, "TCP", "inuse");
    const auto curr_estab = read_curr_estab(proc);
    if (!timewaits || !in_use || !curr_estab) {
      return std::nullopt;
    }
    // Absent without IPv6.
    const auto ipv6 = proc.read("net/sockstat6").value_or("");
    return SocketTotals{
        .curr_estab = *curr_estab,
        .timewaits = *timewaits,
        .full_sockets = *in_use + kernel::sockstat_value(ipv6, "TCP6", "inuse").value_or(0)};
  }

  static std::optional<std::uint64_t> read_curr_estab(kernel::CachedFiles& proc) {
    return kernel::find_counter(proc.read("net/snmp").value_or(""), "Tcp", "CurrEstab");
  }
};

/// A full dump can do without it.
std::optional<std::uint64_t> curr_estab_if_readable(const ScrapeContext& context) {
  try {
    return SocketTotals::read_curr_estab(context.proc);
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

/// Returns the sockets in ESTABLISHED as the difference of all full sockets and those of a partial
/// dump. Only an estimate: sockets open and close between the two, and the kernel does not count
/// IPv6 subflows of MPTCP as TCP sockets (net/mptcp/subflow.c, tcpv6_prot_override).
std::int64_t estimated_established(const SocketTotals& totals, const kernel::PartialDump& partial,
                                   const StateCounts& counts) {
  std::uint64_t others = 0;
  for (const auto& [state, name] : kernel::tcp_states) {
    if (state != TcpState::established && state != TcpState::time_wait &&
        state != TcpState::close) {
      others += counts[slot(state)];
    }
  }
  return static_cast<std::int64_t>(totals.full_sockets + partial.timewait_in_fin_wait2 +
                                   partial.request_sockets) -
         static_cast<std::int64_t>(others);
}

/// Also counts the ports in use for the collector of ephemeral ports, which reports the errors.
const kernel::FullDump& full_dump(const ScrapeContext& context, bool with_info) {
  kernel::FullDumpOptions options{.with_info = with_info};
  try {
    options.ephemeral_ports = kernel::read_ephemeral_ports(context.proc);
  } catch (const std::system_error&) {
    options.ephemeral_ports.reset();
  }
  return context.tcp.full_dump(options);
}

class Tcp final : public Collector {
 public:
  Tcp(const Settings& settings, TcpClocks clocks)
      : max_ports_(
            settings.whole_number("max-ports", 0, std::numeric_limits<std::uint16_t>::max())),
        budget_(settings.percentage("cpu-budget")),
        with_info_(settings.is_on("info")),
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
      counts = count_without_established(context);
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
    const auto curr_estab = curr_estab_if_readable(context);
    std::optional<StateCounts> counts;
    try {
      const kernel::FullDump& dump = full_dump(context, with_info_);
      breakdown_ = breakdown_of(dump, max_ports_, begin);
      unread_times_.update(*breakdown_);
      counts = dump.partial.by_state;
      if (curr_estab) {
        compare(*curr_estab, *counts);
      }
    } catch (const kernel::DeadlineExceeded&) {
      counts.reset();
    }
    budget_.spend(begin, clocks_.thread_cpu() - cpu_before);
    return counts;
  }

  /// Returns the counts of all states without a dump of many sockets in ESTABLISHED or TIME_WAIT;
  /// std::nullopt if a file lacks the totals.
  std::optional<StateCounts> count_without_established(const ScrapeContext& context) {
    const auto totals = SocketTotals::read(context.proc);
    if (!totals) {
      return std::nullopt;
    }
    const kernel::PartialDump& partial = context.tcp.partial_dump();
    StateCounts counts = partial.by_state;
    // In other network namespaces the dump may be of an earlier scrape.
    counts[slot(TcpState::listen)] = context.tcp.listeners().size();
    counts[slot(TcpState::time_wait)] = subtract(totals->timewaits, partial.timewait_in_fin_wait2);
    const std::uint64_t close_wait = counts[slot(TcpState::close_wait)];
    if (close_wait > 0 && !curr_estab_.includes_close_wait() &&
        totals->curr_estab + totals->timewaits <= max_sockets_of_cheap_full_dump) {
      if (const auto dumped = dump_all(context)) {
        compare(totals->curr_estab, *dumped);
        return dumped;
      }
    }
    const bool includes_close_wait = curr_estab_.includes_close_wait().value_or(
        CurrEstab::evidence(totals->curr_estab, estimated_established(*totals, partial, counts),
                            close_wait) >= 0);
    counts[slot(TcpState::established)] =
        includes_close_wait ? subtract(totals->curr_estab, close_wait) : totals->curr_estab;
    return counts;
  }

  /// Returns std::nullopt if the dump is not due or times out.
  static std::optional<StateCounts> dump_all(const ScrapeContext& context) {
    try {
      return context.tcp.full_dump().partial.by_state;
    } catch (const kernel::DumpNotDue&) {
      return std::nullopt;
    } catch (const kernel::DeadlineExceeded&) {
      return std::nullopt;
    }
  }

  void compare(std::uint64_t curr_estab, const StateCounts& counts) {
    curr_estab_.compare(curr_estab, counts[slot(TcpState::established)],
                        counts[slot(TcpState::close_wait)]);
  }

  std::size_t max_ports_;
  CpuBudget budget_;
  bool with_info_;
  TcpClocks clocks_;
  std::optional<Breakdown> breakdown_;
  CurrEstab curr_estab_;
  UnreadTimes unread_times_;
};

}  // namespace

std::unique_ptr<Collector> make_tcp(const Settings& settings) {
  return make_tcp_with_clocks(settings, {CpuBudget::Clock::now, thread_cpu});
}

std::unique_ptr<Collector> make_tcp_with_clocks(const Settings& settings, TcpClocks clocks) {
  return std::make_unique<Tcp>(settings, std::move(clocks));
}

}  // namespace inetdiag
