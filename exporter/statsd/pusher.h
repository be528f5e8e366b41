#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "exporter/log/log.h"
#include "exporter/scrape/scraper.h"
#include "exporter/statsd/address.h"
#include "exporter/statsd/counter_deltas.h"
#include "exporter/statsd/datagrams.h"
#include "exporter/statsd/line.h"
#include "exporter/statsd/push_counters.h"
#include "exporter/statsd/sender.h"

namespace inetdiag::statsd {

struct Options {
  std::optional<Address> address{};  ///< absent: no pushes
  double interval_seconds = 10;
  std::size_t mtu = 1432;  ///< max bytes of a datagram: 1500 minus the IPv6 and UDP headers and 20
  Style style{};
};

/// Pushes the families of a scrape to a StatsD server. The increase of a counter that cannot be
/// sent is included in the next push.
class Pusher {
 public:
  Pusher(Options options, const Log& log, PushCounters& counters);

  /// Resolves the host name each time, and waits up to a second while the socket is full. Reports
  /// errors with fail().
  void push(const std::vector<prometheus::MetricFamily>& families) noexcept;

  /// Counts an error, and logs it at most once a minute.
  void fail(std::string_view error) noexcept;

 private:
  /// Datagrams that may still be refused, with the socket that reports it.
  struct Unconfirmed {
    Sender sender;
    std::vector<Datagram> datagrams;
  };

  void send(std::vector<Datagram> datagrams);
  void confirm_previous();
  void fail(int error);

  const Options options_;
  const Log& log_;
  PushCounters& counters_;
  CounterDeltas deltas_;
  std::optional<Unconfirmed> unconfirmed_;
  std::optional<std::chrono::steady_clock::time_point> last_logged_;
};

/// Scrapes and pushes at a fixed interval, on its own thread, until it is destroyed.
class PushTimer {
 public:
  PushTimer(Scraper& scraper, const Options& options, const Log& log, PushCounters& counters);

 private:
  void run(const std::stop_token& stop);

  Scraper& scraper_;
  const std::chrono::steady_clock::duration interval_;
  Pusher pusher_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace inetdiag::statsd
