#include "exporter/scrape/scrape_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace inetdiag {
namespace {

constexpr std::chrono::seconds max_stall_timeout{1};
constexpr int stall_timeout_divisor = 4;

}  // namespace

ScrapeRun::ScrapeRun(Selection selection, const KernelSource& source, kernel::OpenSysctls& sysctls,
                     Clock::time_point end)
    : selection_(std::move(selection)),
      deadline_(end, stop_.get_token()),
      proc_(source.proc, deadline_, &sysctls),
      cgroups_(source.sys, deadline_),
      pods_(source.kubelet_logs, deadline_),
      tcp_(source.netlink, deadline_),
      netlink_(source.netlink),
      stall_timeout_(std::min<Clock::duration>((end - Clock::now()) / stall_timeout_divisor,
                                               max_stall_timeout)),
      progress_(selection_.size()) {}

ScrapeContext ScrapeRun::context() { return {proc_, cgroups_, pods_, tcp_, netlink_, deadline_}; }

std::optional<std::size_t> ScrapeRun::claim() {
  const std::scoped_lock lock(mutex_);
  if (claimed_ == progress_.size() || is_stopped()) {
    return std::nullopt;
  }
  progress_[claimed_].begin = Clock::now();
  return claimed_++;
}

void ScrapeRun::finish(std::size_t position, CollectorRun run) {
  const std::scoped_lock lock(mutex_);
  progress_[position].run = std::move(run);
  last_progress_ = Clock::now();
  ++finished_;
  if (is_complete()) {
    changed_.notify_all();
  }
}

bool ScrapeRun::has_timed_out(std::size_t position) {
  const std::scoped_lock lock(mutex_);
  return progress_[position].has_timed_out;
}

void ScrapeRun::wait(Clock::time_point end, const std::function<void()>& on_stall) {
  end = std::min(end, deadline_.end());
  std::unique_lock lock(mutex_);
  while (!is_complete() && !is_stopped() && Clock::now() < end) {
    const bool has_unclaimed = claimed_ < progress_.size();
    const Clock::time_point stall = last_progress_ + stall_timeout_;
    if (has_unclaimed && Clock::now() >= stall) {
      last_progress_ = Clock::now();
      lock.unlock();
      on_stall();
      lock.lock();
      continue;
    }
    changed_.wait_until(lock, has_unclaimed ? std::min(end, stall) : end);
  }
}

void ScrapeRun::stop() {
  const std::scoped_lock lock(mutex_);
  stop_.request_stop();
  changed_.notify_all();
}

ScrapeRun::ResultPtr ScrapeRun::result(
    const Build& build, const std::function<void(std::size_t position)>& on_timeout) {
  const std::scoped_lock lock(mutex_);
  if (result_failure_) {
    std::rethrow_exception(result_failure_);
  }
  if (result_) {
    return result_;
  }
  std::vector<CollectorRun> runs;
  runs.reserve(progress_.size());
  for (std::size_t position = 0; position < progress_.size(); ++position) {
    Progress& progress = progress_[position];
    if (!progress.run && !std::exchange(progress.has_timed_out, true)) {
      on_timeout(position);
    }
    runs.push_back(run_of(progress));
  }
  if (!is_complete()) {
    return build(std::move(runs));
  }
  try {
    result_ = build(std::move(runs));
  } catch (...) {
    result_failure_ = std::current_exception();
    throw;
  }
  return result_;
}

/// Returns the collector's run, moved if the scrape is complete; a timeout if the collector has not
/// finished.
CollectorRun ScrapeRun::run_of(Progress& progress) const {
  if (progress.run) {
    return is_complete() ? std::move(*progress.run) : *progress.run;
  }
  CollectorRun late;
  late.collection.errors.emplace_back(timed_out);
  if (progress.begin) {
    late.seconds = std::chrono::duration<double>(Clock::now() - *progress.begin).count();
  }
  return late;
}

}  // namespace inetdiag
