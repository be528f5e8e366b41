#include "exporter/statsd/push.h"

#include <cerrno>
#include <numeric>
#include <system_error>
#include <utility>

namespace inetdiag::statsd {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_wait_for_room{1};
constexpr std::chrono::minutes between_told_errors{1};
constexpr std::chrono::seconds longest_scrape{10};

}  // namespace

Push::Push(Options options, const Log& log, Tally& tally)
    : options_(std::move(options)), log_(log), tally_(tally) {}

void Push::operator()(const std::vector<prometheus::MetricFamily>& families) {
  const Packed packed = pack(families, options_.style, increases_, options_.mtu);
  for (const std::string& line : packed.too_long) {
    fail("longer than --statsd.mtu: " + line);
  }
  try {
    send(packed.datagrams);
  } catch (const std::exception& error) {
    fail(error.what());
  }
  increases_.forget_the_gone();
}

void Push::send(const std::vector<Datagram>& datagrams) {
  const Sender sender(*options_.address);
  const auto end = Clock::now() + longest_wait_for_room;
  const auto failure = [this](int error) {
    return std::system_error(error, std::generic_category(),
                             "cannot send to " + options_.address->text());
  };
  const Datagram* unconfirmed = nullptr;
  for (const Datagram& datagram : datagrams) {
    const int error = sender.send(datagram.text, end);
    if (error == ECONNREFUSED || error == EAGAIN) {
      throw failure(error);  // so it would be with the rest
    }
    if (error != 0) {
      fail(failure(error).what());
      continue;
    }
    if (!sender.is_refused_later()) {
      confirm(datagram);
      continue;
    }
    // That the next one was sent tells that this one was not refused.
    if (unconfirmed != nullptr) {
      confirm(*unconfirmed);
    }
    unconfirmed = &datagram;
  }
  if (const int error = sender.later_error(); error != 0) {
    throw failure(error);
  }
  if (unconfirmed != nullptr) {
    confirm(*unconfirmed);
  }
}

void Push::confirm(const Datagram& datagram) {
  ++tally_.sent;
  for (const auto& [counter, value] : datagram.counters) {
    increases_.told(counter, value);
  }
}

void Push::fail(const std::string& error) {
  ++tally_.errors;
  const auto now = Clock::now();
  if (last_told_ && now < *last_told_ + between_told_errors) {
    return;
  }
  last_told_ = now;
  log_.warn("push to StatsD failed",
            {{"error", error}, {"errors", std::to_string(tally_.errors.load())}});
}

Timer::Timer(Scraper& scraper, const Options& options, const Log& log, Tally& tally)
    : scraper_(scraper),
      interval_(std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(options.interval_seconds))),
      push_(options, log, tally),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Timer::run(const std::stop_token& stop) {
  Selection all(scraper_.names().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  auto next = Clock::now();
  while (!stop.stop_requested()) {
    try {
      push_(scraper_.scrape(all, Clock::now() + longest_scrape)->families());
    } catch (const ScrapeStopped&) {
      return;
    }
    // A push that took longer than the interval leaves out those that it missed.
    while (next <= Clock::now()) {
      next += interval_;
    }
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, next, [] { return false; });
  }
}

}  // namespace inetdiag::statsd
