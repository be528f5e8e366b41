#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

namespace inetdiag {

/// Writes log lines to a descriptor on its own thread: a stalled reader or disk never blocks a
/// thread that logs. Lines are lost if the queue is full or write(2) fails; their number is logged
/// with the next line that can be written.
class BackgroundSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  static constexpr std::size_t max_lines = 1000;
  static constexpr std::chrono::seconds flush_timeout{1};

  /// `format_lost` formats the line that reports the number of lost lines. The caller keeps the
  /// descriptor open. Lines are queued until start().
  BackgroundSink(int fd, std::function<std::string(std::size_t lines)> format_lost);
  BackgroundSink(const BackgroundSink&) = delete;
  BackgroundSink& operator=(const BackgroundSink&) = delete;
  /// Flushes. A thread that is still blocked in write(2) is left running.
  ~BackgroundSink() override;

  /// Starts the thread. Call it after enter_sandbox(), which restricts only later threads. Throws
  /// std::system_error if the thread cannot be created.
  void start();

 private:
  /// Shared with the thread, which can outlive the sink.
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> lines;
    std::size_t lost = 0;
    bool is_writing = false;
    bool is_closed = false;
  };

  static void worker_main(const std::shared_ptr<Queue>& queue, int fd,
                          const std::function<std::string(std::size_t)>& format_lost);
  void sink_it_(const spdlog::details::log_msg& message) override;
  /// Starts the thread if needed, and waits up to flush_timeout.
  void flush_() override;
  void wait_until_written();
  void set_closed(bool is_closed);

  std::shared_ptr<Queue> queue_;
  int fd_;
  std::function<std::string(std::size_t)> format_lost_;
  std::once_flag started_;
};

}  // namespace inetdiag
