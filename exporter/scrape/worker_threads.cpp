#include "exporter/scrape/worker_threads.h"

#include <thread>
#include <utility>

namespace inetdiag {

WorkerThreads::~WorkerThreads() {
  stop();
  wait_until_idle(Clock::time_point::max());
}

void WorkerThreads::start(const Task& task) {
  Task copy = task;  // before counting anything: the copy may throw
  {
    const std::scoped_lock lock(mutex_);
    ++running_;
    if (has_idle_thread_ && !is_stopping_) {
      has_idle_thread_ = false;
      next_task_ = std::move(copy);
      wake_idle_.notify_one();
      return;
    }
    ++threads_;
  }
  try {
    // A plain capture of `task` would be const: its copy in the thread could throw.
    std::thread([this, own = Task(task)]() mutable { worker_main(std::move(own)); }).detach();
  } catch (...) {
    copy();
    const std::scoped_lock lock(mutex_);
    --running_;
    --threads_;
    changed_.notify_all();
  }
}

void WorkerThreads::worker_main(Task task) {
  while (task) {
    task();
    task = nullptr;
    std::unique_lock lock(mutex_);
    --running_;
    changed_.notify_all();
    if (!has_idle_thread_ && !next_task_ && !is_stopping_) {
      has_idle_thread_ = true;
      wake_idle_.wait(lock, [this] { return next_task_ || is_stopping_; });
      has_idle_thread_ = false;
      task = std::exchange(next_task_, nullptr);
    }
  }
  const std::scoped_lock lock(mutex_);
  --threads_;
  changed_.notify_all();
}

void WorkerThreads::stop() {
  const std::scoped_lock lock(mutex_);
  is_stopping_ = true;
  wake_idle_.notify_all();
}

bool WorkerThreads::wait_until_idle(Clock::time_point end) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, end,
                             [this] { return running_ == 0 && (!is_stopping_ || threads_ == 0); });
}

}  // namespace inetdiag
