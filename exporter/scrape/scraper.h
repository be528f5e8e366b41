#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/proc/file_tree.h"
#include "collectors/support/collector.h"
#include "exporter/exposition/exposition.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Where the kernel is asked; tests put fixtures and recorded answers in its place.
struct KernelSource {
  kernel::FileTree proc;
  kernel::FileTree sys;
  kernel::NetlinkFactory sock_diag;
};

struct NamedCollector {
  std::string name;
  std::unique_ptr<Collector> collector;
};

/// Thrown where a scrape was ended by Scraper::stop().
struct ScrapeStopped : std::runtime_error {
  ScrapeStopped() : std::runtime_error("the exporter is shutting down") {}
};

/// Indices of collectors, ascending.
using Selection = std::vector<std::size_t>;

/// Asks collectors, each scrape under a deadline that holds even where the kernel does not answer:
/// they run on threads of their own, and what is not ready in time is left behind. Scrapes of the
/// same selection at the same time are one; a collector is asked by one scrape at a time.
class Scraper {
 public:
  using Clock = kernel::Deadline::Clock;
  using PagePtr = std::shared_ptr<const Page>;

  /// `self_metrics` yields the families that are the same for every selection.
  Scraper(KernelSource source, std::vector<NamedCollector> collectors,
          std::function<std::vector<prometheus::MetricFamily>()> self_metrics, const Log& log);
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;
  /// Stops, and waits for the threads.
  ~Scraper();

  std::vector<std::string> names() const;

  /// Why collectors failed when they were last asked, by name; of those that worked, nothing.
  std::map<std::string, std::string> errors();

  /// The page of a scrape that is complete, or of what is ready when `end` comes. Throws
  /// ScrapeStopped.
  PagePtr scrape(const Selection& selection, Clock::time_point end);

  /// Ends every scrape that runs at once, and lets no other begin.
  void stop();

  /// Whether no thread works before `end`, and after stop() none is left; one that the kernel does
  /// not answer does.
  bool wait_until_idle(Clock::time_point end);

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;

  /// What became of one collector in one scrape.
  struct Outcome {
    bool success = false;
    std::optional<double> seconds;  ///< absent where its turn never came
    Collection collection;
  };

  RunPtr join_or_start(const Selection& selection, Clock::time_point end);
  void start_worker(const RunPtr& run);
  void live(RunPtr run) noexcept;
  void work(const RunPtr& run) noexcept;
  static bool is_told_late(Run& run, std::size_t index);
  Outcome ask(Run& run, std::size_t collector);
  Outcome ask_and_tell(Run& run, std::size_t index) noexcept;
  bool take(std::size_t collector, const Run& run);
  void release(std::size_t collector);
  void tell(std::size_t collector, const std::vector<std::string>& errors);
  void tell_once(std::size_t collector, const Collection& collection);
  bool is_new(const std::string& text);
  PagePtr page_of(Run& run);
  PagePtr whole_page_of(Run& run);
  Outcome late(Run& run, std::size_t index);
  bool is_stopping();

  KernelSource source_;
  std::vector<NamedCollector> collectors_;
  std::function<std::vector<prometheus::MetricFamily>()> own_families_;
  const Log& log_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<Selection, RunPtr> joinable_;
  std::multiset<RunPtr> at_work_;  ///< one for each thread that works on it
  std::size_t threads_ = 0;
  std::condition_variable wake_worker_;
  bool spare_is_free_ = false;  ///< whether a thread waits for the next scrape
  RunPtr for_spare_;            ///< what it was given
  /// By collector that a thread asks now: when it should be free again.
  std::vector<std::optional<Clock::time_point>> taken_until_;
  std::vector<std::string> last_error_;
  std::set<std::string> told_once_;
};

}  // namespace inetdiag
