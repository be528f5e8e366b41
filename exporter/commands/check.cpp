#include "exporter/commands/check.h"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include <unistd.h>

#include "exporter/commands/check_peers.h"
#include "exporter/commands/run_with_scraper.h"
#include "exporter/commands/watch.h"
#include "exporter/diagnosis/status.h"
#include "exporter/diagnosis/status_json.h"
#include "exporter/diagnosis/status_text.h"
#include "exporter/diagnosis/take_snapshot.h"

namespace inetdiag {
namespace {

using diagnosis::Severity;
using diagnosis::Status;
using diagnosis::TimedSnapshot;

TimedSnapshot snapshot(Scraper& scraper) {
  return take_snapshot(scraper, Scraper::Clock::now() + check_snapshot_timeout);
}

/// See https://no-color.org.
bool wants_color() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

}  // namespace

int check_exit_status(const Status& status) {
  const auto severity = status.severity();
  if (severity == Severity::critical) {
    return 2;
  }
  if (status.is_incomplete()) {
    return check_exit_unknown;
  }
  return severity == Severity::warning ? 1 : 0;
}

int check(Scraper& scraper, const kernel::NetlinkFactory& open, const CheckOptions& options,
          std::ostream& out, bool use_color) {
  const TimedSnapshot previous = snapshot(scraper);
  std::this_thread::sleep_until(previous.time +
                                std::chrono::duration<double>(options.interval_seconds));
  const TimedSnapshot current = snapshot(scraper);
  const Status status = diagnose(current, &previous);
  std::optional<AffectedPeers> peers;
  if (options.peers) {
    peers = peers_of_findings(status.findings, current.snapshot, open);
  }
  if (options.format == CheckFormat::json) {
    out << status_json(status, JsonWriter::Layout::indented, [&](JsonWriter& json) {
      if (peers) {
        write_affected_peers(json, *peers);
      }
    });
  } else {
    out << status_text(status, use_color, peers ? affected_peers_text(*peers) : "");
  }
  out.flush();
  return check_exit_status(status);
}

int run_check(CheckOptions options, const Log& log) {
  if (options.watch_seconds) {
    return run_watch(std::move(options), wants_color(), log);
  }
  const auto no_self_metrics = [] { return std::vector<prometheus::MetricFamily>(); };
  return run_with_scraper(options.paths, std::move(options.collectors), no_self_metrics,
                          check_exit_unknown, log, [&](Scraper& scraper) {
                            const int status = check(scraper, kernel::open_netlink, options,
                                                     std::cout, wants_color());
                            if (!std::cout) {
                              throw std::runtime_error("cannot write to standard output");
                            }
                            return status;
                          });
}

}  // namespace inetdiag
