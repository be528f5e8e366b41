#include "exporter/scrape/scraper.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collectors/support/family.h"

namespace inetdiag {
namespace {

std::string joined_errors(const std::vector<std::string>& errors) {
  return fmt::format("{}", fmt::join(errors, "; "));
}

}  // namespace

Scraper::Scraper(KernelSource source, std::vector<NamedCollector> collectors,
                 FamilySource self_metrics, const Log& log)
    : source_(std::move(source)),
      collectors_(std::move(collectors)),
      self_metrics_(std::move(self_metrics)),
      collector_log_(log),
      leases_(collectors_.size()) {}

Scraper::~Scraper() { stop(); }

std::vector<std::string> Scraper::names() const {
  std::vector<std::string> names;
  std::ranges::transform(collectors_, std::back_inserter(names), &NamedCollector::name);
  return names;
}

void Scraper::stop() {
  collector_log_.stop();  // before any collector is interrupted
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    for (const RunPtr& run : active_runs_) {  // no copy: the destructor must not run out of memory
      run->stop();
    }
  }
  leases_.wake();
  workers_.stop();
}

Scraper::ResultPtr Scraper::scrape_all(Clock::time_point deadline) {
  Selection all(collectors_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return scrape(all, deadline);
}

Scraper::ResultPtr Scraper::scrape(const Selection& selection, Clock::time_point deadline) {
  while (true) {
    const RunPtr run = join_or_start(selection, deadline);
    run->wait(deadline, [&] { start_worker(run); });
    // The errors of interrupted collectors are not errors of the host.
    if (run->is_stopped() && is_stopping()) {
      throw ScrapeStopped();
    }
    if (Clock::now() >= run->deadline().end()) {
      run->stop();
    }
    // A client that joined a run with an earlier deadline than its own starts another run.
    if (run->is_complete() || run->deadline().end() >= deadline || Clock::now() >= deadline) {
      return result_of(*run);
    }
  }
}

bool Scraper::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return is_stopping_;
}

Scraper::RunPtr Scraper::join_or_start(const Selection& selection, Clock::time_point deadline) {
  RunPtr run;
  {
    const std::scoped_lock lock(mutex_);
    if (is_stopping_) {
      throw ScrapeStopped();
    }
    RunPtr& current = joinable_[selection];
    if (current && current->can_be_joined()) {
      return current;
    }
    current = std::make_shared<ScrapeRun>(selection, source_, sysctls_, deadline);
    run = current;
  }
  try {
    start_worker(run);
  } catch (...) {
    // No thread works on it, so no client may join it.
    const std::scoped_lock lock(mutex_);
    joinable_.erase(selection);
    throw;
  }
  return run;
}

void Scraper::start_worker(const RunPtr& run) {
  const WorkerThreads::Task task = [this, run] { work_on(run); };
  {
    const std::scoped_lock lock(mutex_);
    active_runs_.insert(run);
    if (is_stopping_) {
      run->stop();
    }
  }
  try {
    workers_.start(task);
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    active_runs_.erase(active_runs_.find(run));
    throw;
  }
}

void Scraper::work_on(const RunPtr& run) noexcept {
  while (const auto position = run->claim()) {
    run->finish(*position, collect_and_log(*run, *position));
  }
  const std::scoped_lock lock(mutex_);
  const auto joinable = joinable_.find(run->selection());
  if (joinable != joinable_.end() && joinable->second == run && active_runs_.count(run) == 1) {
    joinable_.erase(joinable);
  }
  active_runs_.erase(active_runs_.find(run));
}

/// Logs before the run completes: the messages of consecutive scrapes must keep their order.
CollectorRun Scraper::collect_and_log(ScrapeRun& run, std::size_t position) noexcept {
  CollectorRun collected;
  try {
    const std::size_t collector = run.selection()[position];
    collected = collect(run, collector);
    // A timeout has already been logged; do not log the error that it causes.
    if (!run.has_timed_out(position)) {
      const std::string& name = collectors_[collector].name;
      collector_log_.log_result(name, joined_errors(collected.collection.errors));
      collector_log_.log_notices(name, collected.collection);
    }
  } catch (...) {
    collected.success = false;
    collector_log_.log_out_of_memory();
  }
  return collected;
}

CollectorRun Scraper::collect(ScrapeRun& run, std::size_t collector) {
  CollectorRun collected;
  std::vector<std::string>& errors = collected.collection.errors;
  Clock::time_point begin;
  {
    const CollectorLeases::Lease lease = leases_.acquire(collector, run.deadline());
    if (!lease) {
      errors.emplace_back("skipped: still running from an earlier scrape");
      return collected;
    }
    begin = Clock::now();  // the wait for an earlier scrape is not the collector's
    try {
      collected.collection = collectors_[collector].collector->collect(run.context());
    } catch (const kernel::DeadlineExceeded&) {
      errors.emplace_back(ScrapeRun::timed_out);
    } catch (const std::exception& error) {
      errors.emplace_back(error.what());
    } catch (...) {
      errors.emplace_back("unknown exception");
    }
  }
  collected.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  collected.success = errors.empty();
  return collected;
}

Scraper::ResultPtr Scraper::result_of(ScrapeRun& run) {
  return run.result(
      [&](std::vector<CollectorRun>&& runs) {
        return build_result(run.selection(), std::move(runs));
      },
      [&](std::size_t position) {
        collector_log_.log_result(collectors_[run.selection()[position]].name,
                                  ScrapeRun::timed_out);
      });
}

Scraper::ResultPtr Scraper::build_result(const Selection& selection,
                                         std::vector<CollectorRun>&& runs) const {
  auto success = gauge_family("inetdiag_scrape_collector_success",
                              "Whether the collector succeeded in this scrape.");
  auto duration = gauge_family("inetdiag_scrape_collector_duration_seconds",
                               "Duration of the collector in this scrape.");
  std::vector<prometheus::MetricFamily> families;
  std::vector<RecentFill> recent_fills;
  std::vector<CollectorOutcome> outcomes;
  outcomes.reserve(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    CollectorRun& run = runs[i];
    const CollectorOutcome& outcome =
        outcomes.emplace_back(CollectorOutcome{.name = collectors_[selection[i]].name,
                                               .success = run.success,
                                               .seconds = run.seconds,
                                               .error = joined_errors(run.collection.errors)});
    const Labels labels = {{"collector", outcome.name}};
    add_series(success, labels, outcome.success ? 1 : 0);
    if (outcome.seconds) {
      add_series(duration, labels, *outcome.seconds);
    }
    std::ranges::move(run.collection.families, std::back_inserter(families));
    std::ranges::move(run.collection.recent_fills, std::back_inserter(recent_fills));
  }
  families.push_back(std::move(success));
  families.push_back(std::move(duration));
  std::ranges::move(self_metrics_(), std::back_inserter(families));
  return std::make_shared<const ScrapeResult>(std::move(families), std::move(outcomes),
                                              std::move(recent_fills));
}

}  // namespace inetdiag
