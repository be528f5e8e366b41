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

#include "exporter/log.h"
#include "exporter/scraper.h"
#include "exporter/statsd/address.h"
#include "exporter/statsd/datagrams.h"
#include "exporter/statsd/increases.h"
#include "exporter/statsd/line.h"
#include "exporter/statsd/sender.h"
#include "exporter/statsd/tally.h"

namespace inetdiag::statsd {

struct Options {
  std::optional<Address> address{};  ///< absent: no pushes
  double interval_seconds = 10;
  std::size_t mtu = 1432;  ///< most bytes of a datagram: 1500 less IPv6's and UDP's headers and 20
  Style style{};
};

/// Pushes what one scrape finds to a StatsD listener. What it cannot send of a counter's increase
/// is in the next push.
class Push {
 public:
  Push(Options options, const Log& log, Tally& tally);

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
  void settle();
  void fail(int error);

  const Options options_;
  const Log& log_;
  Tally& tally_;
  Increases increases_;
  std::optional<Sent> unsettled_;
  std::optional<std::chrono::steady_clock::time_point> last_told_;
};

/// The thread that pushes at every interval, from now until its end.
class Timer {
 public:
  Timer(Scraper& scraper, const Options& options, const Log& log, Tally& tally);

 private:
  void run(const std::stop_token& stop);

  Scraper& scraper_;
  const std::chrono::steady_clock::duration interval_;
  Push push_;
  Selection all_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace inetdiag::statsd
