#include "exporter/statsd/push_counters.h"

#include "collectors/support/family.h"

namespace inetdiag::statsd {

std::vector<prometheus::MetricFamily> PushCounters::families() const {
  auto sent_total = counter_family("inetdiag_statsd_datagrams_sent_total",
                                   "Datagrams sent to the StatsD server.");
  add_series(sent_total, {}, static_cast<double>(sent));
  auto errors_total = counter_family("inetdiag_statsd_errors_total",
                                     "Errors while pushing to the StatsD server: unresolved name, "
                                     "refused datagram, full socket, or a series longer than "
                                     "--statsd.mtu.");
  add_series(errors_total, {}, static_cast<double>(errors));
  return {std::move(sent_total), std::move(errors_total)};
}

}  // namespace inetdiag::statsd
