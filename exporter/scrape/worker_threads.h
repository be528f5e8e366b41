// The threads that run collectors. A thread that is stuck in the kernel cannot be joined, so all of
// them are detached and counted.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

namespace inetdiag {

class WorkerThreads {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;  ///< must not throw

  WorkerThreads() = default;
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  /// Stops, and waits for all threads.
  ~WorkerThreads();

  /// Runs `task` on the idle thread if there is one, on a new thread otherwise, or on the calling
  /// thread if no thread can be started.
  void start(const Task& task);

  /// Ends the idle thread. Threads started later end after their task.
  void stop();

  /// Waits until no task is running and, after stop(), no thread is left. Returns false if `end`
  /// passes first.
  bool wait_until_idle(Clock::time_point end);

 private:
  void worker_main(Task task);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable wake_idle_;
  bool is_stopping_ = false;
  bool has_idle_thread_ = false;
  Task next_task_;           ///< for the idle thread
  std::size_t threads_ = 0;  ///< the idle one included
  std::size_t running_ = 0;  ///< tasks
};

}  // namespace inetdiag
