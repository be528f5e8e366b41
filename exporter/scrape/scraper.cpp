#include "exporter/scrape/scraper.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "collectors/support/family.h"

namespace inetdiag {
namespace {

using Seconds = std::chrono::duration<double>;

// A thread that finished no collector for this long, or for a quarter of the time that the scrape
// has, may be stuck in the kernel: another one goes on with the rest.
constexpr std::chrono::seconds max_patience{1};
constexpr int patience_share = 4;

// How long after its deadline a collector may take to notice it; then it counts as stuck.
constexpr std::chrono::seconds grace{1};

// Told alike whether the collector noticed the deadline itself or the scrape did: which of them is
// first changes from scrape to scrape, and the log tells only what is new.
constexpr const char* not_ready = "it was not ready at the deadline of the scrape";

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all.append(all.empty() ? "" : "; ").append(text);
  }
  return all;
}

}  // namespace

/// One scrape. Its waiters and its threads share it, and the last of them frees it.
struct Scraper::Run {
  Run(Selection chosen, const KernelSource& source, Clock::time_point end)
      : selection(std::move(chosen)),
        deadline(end, stop.get_token()),
        proc(source.proc, deadline),
        cgroups(source.sys, deadline),
        tcp(source.sock_diag, deadline),
        patience(std::min<Clock::duration>((end - Clock::now()) / patience_share, max_patience)),
        outcomes(selection.size()),
        begun(selection.size()),
        told_late(selection.size()) {}

  const Selection selection;
  std::stop_source stop;
  const kernel::Deadline deadline;
  kernel::SharedFiles proc;
  kernel::CgroupTree cgroups;
  kernel::TcpTable tcp;
  const Clock::duration patience;

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t next = 0;                   ///< the first of the selection that no thread has taken
  std::atomic<std::size_t> finished = 0;  ///< read without the mutex by who may join
  std::vector<std::optional<Outcome>> outcomes;
  std::vector<std::optional<Clock::time_point>> begun;
  std::vector<bool> told_late;
  Clock::time_point last_progress = Clock::now();
  PagePtr page;                     ///< of the complete scrape, made by the first who waits for it
  std::exception_ptr page_failure;  ///< why it could not be made, though it took the outcomes apart

  bool is_complete() const { return finished == selection.size(); }
  bool is_over() const { return is_complete() || stop.stop_requested(); }
  bool can_be_joined() const { return !is_over() && Clock::now() < deadline.end(); }
};

Scraper::Scraper(KernelSource source, std::vector<NamedCollector> collectors,
                 std::function<std::vector<prometheus::MetricFamily>()> self_metrics,
                 const Log& log)
    : source_(std::move(source)),
      collectors_(std::move(collectors)),
      own_families_(std::move(self_metrics)),
      log_(log),
      taken_until_(collectors_.size()),
      last_error_(collectors_.size()) {}

Scraper::~Scraper() {
  stop();
  wait_until_idle(Clock::time_point::max());
}

std::vector<std::string> Scraper::names() const {
  std::vector<std::string> names;
  std::ranges::transform(collectors_, std::back_inserter(names), &NamedCollector::name);
  return names;
}

std::map<std::string, std::string> Scraper::errors() {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::string> errors;
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    if (!last_error_[i].empty()) {
      errors.emplace(collectors_[i].name, last_error_[i]);
    }
  }
  return errors;
}

void Scraper::stop() {
  std::multiset<RunPtr> runs;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    runs = at_work_;
  }
  for (const RunPtr& run : runs) {
    const std::scoped_lock lock(run->mutex);
    run->stop.request_stop();
    run->changed.notify_all();
  }
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
  wake_worker_.notify_all();
}

bool Scraper::wait_until_idle(Clock::time_point end) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, end,
                             [this] { return at_work_.empty() && (!stopping_ || threads_ == 0); });
}

Scraper::PagePtr Scraper::scrape(const Selection& selection, Clock::time_point end) {
  while (true) {
    const RunPtr run = join_or_start(selection, end);
    std::unique_lock lock(run->mutex);
    while (!run->is_over() && Clock::now() < std::min(end, run->deadline.end())) {
      const bool has_waiting = run->next < run->selection.size();
      const auto patient_until = run->last_progress + run->patience;
      if (has_waiting && Clock::now() >= patient_until) {
        run->last_progress = Clock::now();
        lock.unlock();
        start_worker(run);
        lock.lock();
        continue;
      }
      run->changed.wait_until(
          lock, std::min({end, run->deadline.end(), has_waiting ? patient_until : end}));
    }
    // What stopped collectors have to say is no news of the host.
    if (run->stop.stop_requested() && is_stopping()) {
      throw ScrapeStopped();
    }
    if (run->is_complete()) {
      return whole_page_of(*run);
    }
    if (Clock::now() >= run->deadline.end()) {
      run->stop.request_stop();
    }
    // Whoever joined a scrape that had less time than they have asks anew.
    if (run->deadline.end() >= end || Clock::now() >= end) {
      return page_of(*run);
    }
  }
}

bool Scraper::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

Scraper::RunPtr Scraper::join_or_start(const Selection& selection, Clock::time_point end) {
  RunPtr run;
  {
    const std::scoped_lock lock(mutex_);
    RunPtr& current = joinable_[selection];
    if (current && current->can_be_joined()) {
      return current;
    }
    current = std::make_shared<Run>(selection, source_, end);
    run = current;
  }
  try {
    start_worker(run);
  } catch (...) {
    // Nobody would work on what others join.
    const std::scoped_lock lock(mutex_);
    joinable_.erase(selection);
    throw;
  }
  return run;
}

void Scraper::start_worker(const RunPtr& run) {
  {
    const std::scoped_lock lock(mutex_);
    at_work_.insert(run);  // the only thing that may throw: then nothing has happened
    if (stopping_) {
      run->stop.request_stop();
    } else if (spare_is_free_) {
      spare_is_free_ = false;
      for_spare_ = run;
      wake_worker_.notify_one();
      return;
    }
    ++threads_;
  }
  try {
    // Detached, since one that the kernel does not answer can be waited for by nobody; threads_
    // tells when it has ended.
    std::thread([this, run] { live(run); }).detach();
  } catch (...) {
    work(run);  // no thread to be had: the deadline is then as good as the kernel's answers
    const std::scoped_lock lock(mutex_);
    --threads_;
    changed_.notify_all();
  }
}

/// The life of a thread: the first to have nothing to do stays for the next scrape.
void Scraper::live(RunPtr run) noexcept {
  while (run) {
    work(run);
    run.reset();
    std::unique_lock lock(mutex_);
    if (!spare_is_free_ && !for_spare_ && !stopping_) {
      spare_is_free_ = true;
      wake_worker_.wait(lock, [this] { return for_spare_ || stopping_; });
      spare_is_free_ = false;
      run = std::exchange(for_spare_, nullptr);
    }
  }
  const std::scoped_lock lock(mutex_);
  --threads_;
  changed_.notify_all();
}

void Scraper::work(const RunPtr& run) noexcept {
  while (true) {
    std::size_t mine = 0;
    {
      const std::scoped_lock lock(run->mutex);
      if (run->next == run->selection.size() || run->is_over()) {
        break;
      }
      mine = run->next++;
      run->begun[mine] = Clock::now();
    }
    Outcome outcome = ask_and_tell(*run, mine);
    {
      const std::scoped_lock lock(run->mutex);
      run->outcomes[mine] = std::move(outcome);
      run->last_progress = Clock::now();
      ++run->finished;
    }
    if (run->is_complete()) {
      run->changed.notify_all();
    }
  }
  const std::scoped_lock lock(mutex_);
  const auto joinable = joinable_.find(run->selection);
  if (joinable != joinable_.end() && joinable->second == run && at_work_.count(run) == 1) {
    joinable_.erase(joinable);
  }
  at_work_.erase(at_work_.find(run));
  changed_.notify_all();
}

/// Where there is no memory left to say what failed, the collector is one that failed.
Scraper::Outcome Scraper::ask_and_tell(Run& run, std::size_t index) noexcept {
  Outcome outcome;
  try {
    outcome = ask(run, run.selection[index]);
    // Told before the page can go out, so that the log of the next scrape comes after it.
    if (!is_told_late(run, index)) {
      tell(run.selection[index], outcome.collection.errors);
      tell_once(run.selection[index], outcome.collection);
    }
  } catch (...) {
    outcome.success = false;
    log_.error("no memory to tell how a collector failed");
  }
  return outcome;
}

/// That a collector came too late has been told; why, is then a consequence.
bool Scraper::is_told_late(Run& run, std::size_t index) {
  const std::scoped_lock lock(run.mutex);
  return run.told_late[index];
}

Scraper::Outcome Scraper::ask(Run& run, std::size_t collector) {
  Outcome outcome;
  if (!take(collector, run)) {
    outcome.collection.errors.emplace_back(
        "its turn did not come: an earlier scrape is still at it");
    return outcome;
  }
  const Clock::time_point begin = Clock::now();
  const auto end = [&] {
    release(collector);
    outcome.seconds = Seconds(Clock::now() - begin).count();
  };
  try {
    outcome.collection = collectors_[collector].collector->collect(
        {run.proc, run.cgroups, run.tcp, source_.sock_diag, run.deadline});
    end();
  } catch (const kernel::DeadlineExceeded&) {
    end();
    outcome.collection.errors.emplace_back(not_ready);
  } catch (const std::exception& error) {
    end();
    outcome.collection.errors.emplace_back(error.what());
  }
  outcome.success = outcome.collection.errors.empty();
  return outcome;
}

/// Waits for the collector as long as the scrape that has it may still be on time: behind one that
/// is stuck, every scrape would be late.
bool Scraper::take(std::size_t collector, const Run& run) {
  std::unique_lock lock(mutex_);
  auto& taken_until = taken_until_[collector];
  while (taken_until) {
    const Clock::time_point end = std::min(*taken_until, run.deadline.end());
    if (Clock::now() >= end || run.stop.stop_requested()) {
      return false;
    }
    changed_.wait_until(lock, end);
  }
  taken_until = run.deadline.end() + grace;
  return true;
}

void Scraper::release(std::size_t collector) {
  const std::scoped_lock lock(mutex_);
  taken_until_[collector].reset();
  changed_.notify_all();
}

/// An error that lasts is told when it begins and when it ends, not at every scrape. The log is
/// written without a lock: its reader may be slow.
void Scraper::tell(std::size_t collector, const std::vector<std::string>& errors) {
  const std::string& name = collectors_[collector].name;
  const std::string error = joined(errors);
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || error == last_error_[collector]) {
      return;
    }
    last_error_[collector] = error;
  }
  if (error.empty()) {
    log_.info("collector works again", {{"collector", name}});
  } else {
    log_.error("collector failed", {{"collector", name}, {"error", error}});
  }
}

void Scraper::tell_once(std::size_t collector, const Collection& collection) {
  const std::string& name = collectors_[collector].name;
  for (const std::string& feature : collection.missing) {
    if (is_new(feature)) {
      log_.info("feature missing", {{"collector", name}, {"feature", feature}});
    }
  }
  for (const SettingError& error : collection.unmatched) {
    if (is_new(name + " " + error.name + " " + error.what())) {
      log_.warn("setting matches nothing",
                {{"collector", name}, {"setting", error.name}, {"problem", error.what()}});
    }
  }
}

bool Scraper::is_new(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  return told_once_.insert(text).second;
}

/// The page of a complete run, made once; `run.mutex` is held.
Scraper::PagePtr Scraper::whole_page_of(Run& run) {
  if (run.page_failure) {
    std::rethrow_exception(run.page_failure);
  }
  if (!run.page) {
    try {
      run.page = page_of(run);
    } catch (...) {
      run.page_failure = std::current_exception();
      throw;
    }
  }
  return run.page;
}

/// What is ready of the run; `run.mutex` is held.
Scraper::PagePtr Scraper::page_of(Run& run) {
  auto success = gauge_family("inetdiag_scrape_collector_success",
                              "1 where the collector told all it should in this scrape, 0 where it "
                              "failed or was late; the log says why.");
  auto duration = gauge_family("inetdiag_scrape_collector_duration_seconds",
                               "How long the collector took in this scrape.");
  std::vector<prometheus::MetricFamily> families;
  for (std::size_t i = 0; i < run.selection.size(); ++i) {
    // A complete run is rendered once, so nobody misses what is moved out of it.
    Outcome outcome = !run.outcomes[i]    ? late(run, i)
                      : run.is_complete() ? std::move(*run.outcomes[i])
                                          : *run.outcomes[i];
    const Labels labels = {{"collector", collectors_[run.selection[i]].name}};
    add_series(success, labels, outcome.success ? 1 : 0);
    if (outcome.seconds) {
      add_series(duration, labels, *outcome.seconds);
    }
    std::ranges::move(outcome.collection.families, std::back_inserter(families));
  }
  families.push_back(std::move(success));
  families.push_back(std::move(duration));
  std::ranges::move(own_families_(), std::back_inserter(families));
  return std::make_shared<const Page>(std::move(families));
}

Scraper::Outcome Scraper::late(Run& run, std::size_t index) {
  Outcome outcome;
  if (run.begun[index]) {
    outcome.seconds = Seconds(Clock::now() - *run.begun[index]).count();
  }
  if (!run.told_late[index]) {
    run.told_late[index] = true;
    tell(run.selection[index], {not_ready});
  }
  return outcome;
}

}  // namespace inetdiag
