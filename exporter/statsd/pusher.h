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
  std::size_t mtu = 1432;  ///< most bytes of a datagram: 1500 less IPv6's and UDP's headers and 20
  Style style{};
};

/// Pushes what one scrape finds to a StatsD listener. What it cannot send of a counter's increase
/// is in the next push.
class Pusher {
 public:
  Pusher(Options options, const Log& log, PushCounters& tally);

  /// Resolves the name anew; waits for a full socket for a second at the most. What goes wrong on
  /// the way fails as fail() tells.
  void operator()(const std::vector<prometheus::MetricFamily>& families) noexcept;

  /// Counts an error, and tells of it in the log at most once a minute.
  void fail(std::string_view error) noexcept;

 private:
  /// What was sent, and by whom: there shows later that it was refused.
  struct Sent {
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
  std::optional<Sent> unconfirmed_;
  std::optional<std::chrono::steady_clock::time_point> last_logged_;
};

/// The thread that pushes at every interval, from now until its end.
class Timer {
 public:
  Timer(Scraper& scraper, const Options& options, const Log& log, PushCounters& tally);

 private:
  void run(const std::stop_token& stop);

  Scraper& scraper_;
  const std::chrono::steady_clock::duration interval_;
  Pusher push_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace inetdiag::statsd
