#include "exporter/log/background_sink.h"

#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

namespace inetdiag {
namespace {

/// Blocks all signals for threads that are created during its lifetime.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// Returns whether the complete line was written.
bool write_line(int fd, std::string line) {
  line.push_back('\n');
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      // Another process that shares the stream may have set O_NONBLOCK.
      pollfd writable{fd, POLLOUT, 0};
      (void)::poll(&writable, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

BackgroundSink::BackgroundSink(int fd, std::function<std::string(std::size_t)> format_lost)
    : queue_(std::make_shared<Queue>()), fd_(fd), format_lost_(std::move(format_lost)) {}

void BackgroundSink::start() {
  std::call_once(started_, [this] {
    const BlockedSignals blocked;
    // Detached: it may block in write(2) forever.
    std::thread(worker_main, queue_, fd_, format_lost_).detach();
  });
}

BackgroundSink::~BackgroundSink() {
  wait_until_written();
  set_closed(true);
}

void BackgroundSink::worker_main(const std::shared_ptr<Queue>& queue, int fd,
                                 const std::function<std::string(std::size_t)>& format_lost) {
  std::unique_lock lock(queue->mutex);
  while (true) {
    queue->changed.wait(lock, [&] { return !queue->lines.empty() || queue->is_closed; });
    if (queue->lines.empty()) {
      return;
    }
    const std::string line = std::move(queue->lines.front());
    queue->lines.pop_front();
    const std::size_t lost = std::exchange(queue->lost, 0);
    queue->is_writing = true;
    lock.unlock();
    std::size_t still_lost = lost;
    try {
      if (lost == 0 || write_line(fd, format_lost(lost))) {
        still_lost = write_line(fd, line) ? 0 : 1;
      } else {
        ++still_lost;
      }
    } catch (...) {
      ++still_lost;  // out of memory
    }
    lock.lock();
    queue->lost += still_lost;
    queue->is_writing = false;
    queue->changed.notify_all();
  }
}

void BackgroundSink::sink_it_(const spdlog::details::log_msg& message) {
  const std::scoped_lock lock(queue_->mutex);
  if (queue_->lines.size() >= max_lines) {
    ++queue_->lost;
    return;
  }
  queue_->lines.emplace_back(message.payload.data(), message.payload.size());
  queue_->changed.notify_all();
}

void BackgroundSink::set_closed(bool is_closed) {
  const std::scoped_lock lock(queue_->mutex);
  queue_->is_closed = is_closed;
  queue_->changed.notify_all();
}

void BackgroundSink::flush_() { wait_until_written(); }

void BackgroundSink::wait_until_written() {
  try {
    start();
  } catch (const std::system_error&) {
    // The queue may hold the line that says why no thread can be created.
    set_closed(true);
    worker_main(queue_, fd_, format_lost_);
    set_closed(false);
    return;
  }
  std::unique_lock lock(queue_->mutex);
  queue_->changed.wait_for(lock, flush_timeout,
                           [this] { return queue_->lines.empty() && !queue_->is_writing; });
}

}  // namespace inetdiag
