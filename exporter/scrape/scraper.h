#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "collectors/support/collector.h"
#include "exporter/log/log.h"
#include "exporter/scrape/collector_leases.h"
#include "exporter/scrape/collector_log.h"
#include "exporter/scrape/result.h"
#include "exporter/scrape/scrape_run.h"
#include "exporter/scrape/worker_threads.h"

namespace inetdiag {

/// Thrown by a scrape that Scraper::stop() interrupted.
struct ScrapeStopped : std::runtime_error {
  ScrapeStopped() : std::runtime_error("the exporter is shutting down") {}
};

/// Runs collectors with a deadline that holds even if the kernel blocks them: they run on their own
/// threads, and a result does not wait for a late collector. Concurrent requests for the same
/// selection share one run. A collector runs in one scrape at a time.
class Scraper {
 public:
  using Clock = ScrapeRun::Clock;
  using ResultPtr = ScrapeRun::ResultPtr;
  using FamilySource = std::function<std::vector<prometheus::MetricFamily>()>;

  /// `self_metrics` returns the families that every scrape includes, regardless of its selection.
  Scraper(KernelSource source, std::vector<NamedCollector> collectors, FamilySource self_metrics,
          const Log& log);
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;
  /// Stops, and waits for the threads.
  ~Scraper();

  std::vector<std::string> names() const;

  /// Returns the result of all selected collectors, or of those that have finished at `deadline`.
  /// Throws ScrapeStopped.
  ResultPtr scrape(const Selection& selection, Clock::time_point deadline);
  ResultPtr scrape_all(Clock::time_point deadline);

  /// Interrupts running scrapes; later ones throw ScrapeStopped.
  void stop();

  /// Waits until no collector is running and, after stop(), no thread is left. Returns false if
  /// `end` passes first. A thread that is stuck in the kernel counts as running.
  bool wait_until_idle(Clock::time_point end) { return workers_.wait_until_idle(end); }

 private:
  using RunPtr = std::shared_ptr<ScrapeRun>;

  RunPtr join_or_start(const Selection& selection, Clock::time_point deadline);
  void start_worker(const RunPtr& run);
  void work_on(const RunPtr& run) noexcept;
  CollectorRun collect_and_log(ScrapeRun& run, std::size_t position) noexcept;
  CollectorRun collect(ScrapeRun& run, std::size_t collector);
  ResultPtr result_of(ScrapeRun& run);
  ResultPtr build_result(const Selection& selection, std::vector<CollectorRun>&& runs) const;
  bool is_stopping();

  const KernelSource source_;
  kernel::OpenSysctls sysctls_{kernel::sysctl_descriptors().own_namespace};
  const std::vector<NamedCollector> collectors_;
  const FamilySource self_metrics_;
  CollectorLog collector_log_;
  CollectorLeases leases_;

  std::mutex mutex_;
  bool is_stopping_ = false;
  std::map<Selection, RunPtr> joinable_;
  std::multiset<RunPtr> active_runs_;  ///< once for each thread that works on it
  WorkerThreads workers_;              ///< last: its threads use all of the above
};

}  // namespace inetdiag
