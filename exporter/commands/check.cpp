#include "exporter/commands/check.h"

#include <thread>

#include "exporter/diagnosis/status.h"
#include "exporter/diagnosis/status_json.h"
#include "exporter/diagnosis/status_text.h"
#include "exporter/diagnosis/take_snapshot.h"

namespace inetdiag {
namespace {

using diagnosis::Severity;
using diagnosis::Status;
using diagnosis::TimedSnapshot;

constexpr std::chrono::seconds snapshot_timeout{10};

TimedSnapshot look(Scraper& scraper, const CheckOptions& options) {
  return take_snapshot(scraper, Scraper::Clock::now() + snapshot_timeout, options.netns_folder);
}

int exit_status(const Status& status) {
  const auto severity = status.severity();
  if (severity == Severity::critical) {
    return 2;
  }
  if (status.is_incomplete()) {
    return check_exit_unknown;
  }
  return severity == Severity::warning ? 1 : 0;
}

}  // namespace

int check(Scraper& scraper, const CheckOptions& options, std::ostream& out, bool in_colour) {
  const TimedSnapshot before = look(scraper, options);
  std::this_thread::sleep_until(before.time +
                                std::chrono::duration<double>(options.interval_seconds));
  const Status status = diagnose(look(scraper, options), &before);
  out << (options.format == CheckFormat::json ? status_json(status)
                                              : status_text(status, in_colour));
  out.flush();
  return exit_status(status);
}

}  // namespace inetdiag
