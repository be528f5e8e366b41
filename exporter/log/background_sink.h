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

/// Writes log lines to a descriptor on a thread of its own, so that a reader who stops reading, or
/// a disk that does not answer, holds up nobody who logs. Lines beyond what it keeps meanwhile, and
/// those that cannot be written, are lost; their number is told as soon as a line gets through.
class BackgroundSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  static constexpr std::size_t max_lines = 1000;
  static constexpr std::chrono::seconds flush_timeout{1};

  /// `format_lost` makes the line about lost ones. The descriptor stays open and is the caller's.
  /// Lines wait until start().
  BackgroundSink(int fd, std::function<std::string(std::size_t lines)> format_lost);
  BackgroundSink(const BackgroundSink&) = delete;
  BackgroundSink& operator=(const BackgroundSink&) = delete;
  /// As flush(); a thread that is still held up is left behind.
  ~BackgroundSink() override;

  /// Starts the thread, which a process that confines itself does when it has. Throws
  /// std::system_error.
  void start();

 private:
  /// Shared with the thread, which may outlive the sink.
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> lines;
    std::size_t lost = 0;
    bool is_writing = false;
    bool is_ending = false;
  };

  static void live(const std::shared_ptr<Queue>& queue, int fd,
                   const std::function<std::string(std::size_t)>& format_lost);
  void sink_it_(const spdlog::details::log_msg& message) override;
  /// Starts where start() was not called, and waits a second at most until all is written.
  void flush_() override;
  void wait_until_written();
  void set_ending(bool is_ending);

  std::shared_ptr<Queue> queue_;
  int fd_;
  std::function<std::string(std::size_t)> format_lost_;
  std::once_flag started_;
};

}  // namespace inetdiag
