#include "collectors/tcp.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/family.h"

namespace inetdiag {
namespace {

using kernel::StateCounts;
using kernel::TcpState;

constexpr std::array<std::pair<TcpState, std::string_view>, 11> states = {{
    {TcpState::established, "established"},
    {TcpState::syn_sent, "syn_sent"},
    {TcpState::syn_recv, "syn_recv"},
    {TcpState::fin_wait1, "fin_wait1"},
    {TcpState::fin_wait2, "fin_wait2"},
    {TcpState::time_wait, "time_wait"},
    {TcpState::close, "close"},
    {TcpState::close_wait, "close_wait"},
    {TcpState::last_ack, "last_ack"},
    {TcpState::listen, "listen"},
    {TcpState::closing, "closing"},
}};

bool is_connected(TcpState state) { return state != TcpState::listen && state != TcpState::close; }

prometheus::MetricFamily totals(const StateCounts& counts) {
  auto family = gauge_family("inetdiag_tcp_sockets",
                             "TCP sockets of both families by state (inet_diag), exact. A pile of "
                             "close_wait is a program that does not close.");
  for (const auto& [state, name] : states) {
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
  for (const auto& [state, name] : states) {
    if (is_connected(state)) {
      add_series(family, {{"port", port}, {"state", std::string(name)}},
                 static_cast<double>(counts[kernel::slot(state)]));
    }
  }
}

/// The busiest ports have series of their own; of equals, the lower port.
prometheus::MetricFamily by_port(const kernel::TcpCensus& census, std::size_t max_ports) {
  auto family = gauge_family(
      "inetdiag_tcp_port_sockets",
      "TCP sockets by the local port and state (inet_diag), for ports that have a listener; all "
      "others, outgoing connections too, count under port=\"other\".");
  std::vector<PortCounts> ports;
  for (const auto& [port, counts] : census.by_listening_port) {
    ports.push_back({port, counts});
  }
  const std::size_t shown = std::min(ports.size(), max_ports);
  std::ranges::sort(ports, {}, [](const PortCounts& port) {
    return std::tuple(std::numeric_limits<std::uint64_t>::max() - port.sum(), port.port);
  });
  std::ranges::sort(std::span(ports).first(shown), {}, &PortCounts::port);
  StateCounts other = census.elsewhere;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (i < shown) {
      add_port(family, std::to_string(ports[i].port), ports[i].counts);
    } else {
      add(other, ports[i].counts);
    }
  }
  add_port(family, "other", other);
  return family;
}

class Tcp final : public Collector {
 public:
  explicit Tcp(const Settings& settings)
      : max_ports_(settings.number("max-ports", 0, std::numeric_limits<std::uint16_t>::max())) {}

  Collection collect(const ScrapeContext& context) override {
    const kernel::TcpCensus& census = context.tcp.census();
    Collection collection;
    collection.families.push_back(totals(census.by_state));
    collection.families.push_back(by_port(census, max_ports_));
    collection.families.push_back(
        single_gauge("inetdiag_tcp_port_sockets_age_seconds",
                     "How long ago the sockets by port and the bytes in queues were counted. 0: in "
                     "this scrape.",
                     0));
    collection.families.push_back(single_gauge(
        "inetdiag_tcp_receive_queue_bytes",
        "Bytes that wait in connected sockets to be read by programs (inet_diag idiag_rqueue).",
        static_cast<double>(census.receive_queue_bytes)));
    collection.families.push_back(single_gauge(
        "inetdiag_tcp_send_queue_bytes",
        "Bytes in connected sockets that the peers have not acknowledged (inet_diag idiag_wqueue).",
        static_cast<double>(census.send_queue_bytes)));
    return collection;
  }

 private:
  std::size_t max_ports_;
};

}  // namespace

std::unique_ptr<Collector> make_tcp(const Settings& settings) {
  return std::make_unique<Tcp>(settings);
}

}  // namespace inetdiag
