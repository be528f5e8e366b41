// A scrape in progress: its selection, its deadline and the results of its collectors so far.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/netlink.h"
#include "collectors/kernel/netns/pod_names.h"
#include "collectors/kernel/proc/file_tree.h"
#include "collectors/kernel/proc/open_sysctls.h"
#include "collectors/support/collector.h"
#include "exporter/scrape/result.h"

namespace inetdiag {

/// The sources of a scrape: interfaces of the kernel, and the log directories of kubelet. Tests use
/// fixtures and recorded datagrams instead.
struct KernelSource {
  kernel::FileTree proc;
  kernel::FileTree sys;
  kernel::NetlinkFactory netlink;
  kernel::KubeletLogs kubelet_logs{};
};

/// Indices of collectors, ascending.
using Selection = std::vector<std::size_t>;

/// The result of one collector of a run.
struct CollectorRun {
  bool success = false;
  std::optional<double> seconds{};  ///< absent if it was not started
  Collection collection{};
};

/// Shared by the clients that wait for it and the threads that work on it; the last one frees it.
class ScrapeRun {
 public:
  using Clock = kernel::Deadline::Clock;
  using ResultPtr = std::shared_ptr<const ScrapeResult>;

  /// The error of a collector that did not finish before the deadline. It is the same whether or
  /// not the collector noticed the deadline, because an error is logged again if its text changes.
  static constexpr const char* timed_out = "timed out (scrape deadline)";

  ScrapeRun(Selection selection, const KernelSource& source, kernel::OpenSysctls& sysctls,
            Clock::time_point end);

  const Selection& selection() const { return selection_; }
  const kernel::Deadline& deadline() const { return deadline_; }
  /// Returns the context that the collectors of this run share.
  ScrapeContext context();

  /// Claims the next collector and returns its position in the selection; std::nullopt if no
  /// collector is left or the run has been stopped.
  std::optional<std::size_t> claim();
  void finish(std::size_t position, CollectorRun run);
  /// Whether a result has already reported that this collector timed out.
  bool has_timed_out(std::size_t position);

  /// Waits until the run is complete, stopped or past its deadline or `end`. Calls `on_stall` if
  /// collectors are waiting and none has finished for 1 s or a quarter of the run's time: the
  /// working threads may be stuck in the kernel.
  void wait(Clock::time_point end, const std::function<void()>& on_stall);

  void stop();
  bool is_stopped() const { return stop_.stop_requested(); }
  // These do not lock: while a result is built, other scrapes go on.
  bool is_complete() const { return finished_ == progress_.size(); }
  bool can_be_joined() const { return !is_complete() && !deadline_.has_passed(); }

  /// Builds a result from `runs`, which are in the order of the selection.
  using Build = std::function<ResultPtr(std::vector<CollectorRun>&& runs)>;
  /// Returns the result of all collectors, built once, or of those that have finished. Calls
  /// `on_timeout` once per run with the position of each collector that has not. Throws the
  /// exception of `build`.
  ResultPtr result(const Build& build, const std::function<void(std::size_t position)>& on_timeout);

 private:
  struct Progress {
    std::optional<Clock::time_point> begin;
    std::optional<CollectorRun> run;
    bool has_timed_out = false;
  };

  CollectorRun run_of(Progress& progress) const;

  const Selection selection_;
  std::stop_source stop_;
  const kernel::Deadline deadline_;
  kernel::CachedFiles proc_;
  kernel::CgroupTree cgroups_;
  kernel::PodNames pods_;
  kernel::TcpTable tcp_;
  const kernel::NetlinkFactory& netlink_;
  const Clock::duration stall_timeout_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Progress> progress_;  ///< by position in the selection; its size is constant
  std::size_t claimed_ = 0;
  std::atomic<std::size_t> finished_ = 0;  ///< written with the mutex held
  Clock::time_point last_progress_ = Clock::now();
  ResultPtr result_;                   ///< of the complete run
  std::exception_ptr result_failure_;  ///< building moves the runs, so it cannot be repeated
};

}  // namespace inetdiag
