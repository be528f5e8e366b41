#include "exporter/statsd/pusher.h"

#include <cerrno>
#include <exception>
#include <iterator>
#include <system_error>
#include <utility>

namespace inetdiag::statsd {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds send_timeout{1};
constexpr std::chrono::minutes error_log_interval{1};
constexpr std::chrono::seconds push_timeout{10};

}  // namespace

Pusher::Pusher(Options options, const Log& log, PushCounters& counters)
    : options_(std::move(options)), log_(log), counters_(counters) {}

void Pusher::push(const std::vector<prometheus::MetricFamily>& families) noexcept {
  try {
    confirm_previous();
    Packed packed = pack(families, options_.style, deltas_, options_.mtu);
    for (const std::string& line : packed.too_long) {
      fail("series is longer than --statsd.mtu: " + line);
    }
    send(std::move(packed.datagrams));
  } catch (const std::exception& error) {
    fail(error.what());
  }
  deltas_.evict_absent();
}

void Pusher::send(std::vector<Datagram> datagrams) {
  std::vector<Sender> senders = open_senders(*options_.address);
  const auto end = Clock::now() + send_timeout;
  auto sender = senders.begin();
  std::vector<Datagram> sent;
  sent.reserve(datagrams.size());  // push_back() below must not throw
  for (Datagram& datagram : datagrams) {
    int error = sender->send(datagram.text, end);
    while (error == ECONNREFUSED && sent.empty() && std::next(sender) != senders.end()) {
      ++sender;
      error = sender->send(datagram.text, end);
    }
    if (error == 0) {
      ++counters_.sent;
      sent.push_back(std::move(datagram));
      continue;
    }
    fail(error);
    if (error == ECONNREFUSED && !options_.address->is_unix()) {
      return;  // the error may belong to any datagram sent so far
    }
    if (error == ECONNREFUSED || error == EAGAIN) {
      break;  // the remaining datagrams would fail as well
    }
  }
  unconfirmed_ = {std::move(*sender), std::move(sent)};
  if (options_.address->is_unix()) {
    confirm_previous();
  }
}

/// Acknowledges the previous push unless it has been refused since: ICMP errors arrive late.
void Pusher::confirm_previous() {
  const std::optional<Unconfirmed> previous = std::exchange(unconfirmed_, std::nullopt);
  if (!previous) {
    return;
  }
  if (const int error = previous->sender.pending_error(); error != 0) {
    fail(error);
    return;
  }
  for (const Datagram& datagram : previous->datagrams) {
    for (const auto& [counter, increase] : datagram.increases) {
      deltas_.acknowledge(counter, increase);
    }
  }
}

void Pusher::fail(int error) {
  fail(std::system_error(error, std::generic_category(),
                         "cannot send to " + options_.address->text())
           .what());
}

void Pusher::fail(std::string_view error) noexcept {
  ++counters_.errors;
  const auto now = Clock::now();
  if (last_logged_ && now < *last_logged_ + error_log_interval) {
    return;
  }
  try {
    log_.warn("push to StatsD failed",
              {{"error", std::string(error)}, {"errors", std::to_string(counters_.errors.load())}});
    last_logged_ = now;
  } catch (const std::exception&) {  // out of memory: not logged
  }
}

PushTimer::PushTimer(Scraper& scraper, const Options& options, const Log& log,
                     PushCounters& counters)
    : scraper_(scraper),
      interval_(std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(options.interval_seconds))),
      pusher_(options, log, counters),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void PushTimer::run(const std::stop_token& stop) {
  auto next = Clock::now();
  while (!stop.stop_requested()) {
    try {
      pusher_.push(scraper_.scrape_all(Clock::now() + push_timeout)->exposition.families());
    } catch (const ScrapeStopped&) {
      return;
    } catch (const std::exception& error) {
      pusher_.fail(error.what());
    }
    // Skips the pushes that were due while this one ran.
    while (next <= Clock::now()) {
      next += interval_;
    }
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, next, [] { return false; });
  }
}

}  // namespace inetdiag::statsd
