#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

#include "collectors/kernel/base/deadline.h"

namespace inetdiag::kernel {

/// An answer that several collectors need and that is asked of the kernel once: who comes first
/// asks, the others wait for the same answer, or for the same exception.
template <typename Answer>
class Memoized {
 public:
  /// The answer if it is there already.
  const Answer* answer() {
    const std::scoped_lock lock(mutex_);
    return answer_ ? &*answer_ : nullptr;
  }

  /// Throws what `ask` threw, and DeadlineExceeded where another one asks and has no answer in
  /// time.
  const Answer& get(const Deadline& deadline, const std::function<Answer()>& ask) {
    std::unique_lock lock(mutex_);
    while (is_asking_) {
      deadline.check();
      const auto notice_a_stop = Deadline::Clock::now() + std::chrono::milliseconds(100);
      changed_.wait_until(lock, std::min(deadline.end(), notice_a_stop));
    }
    if (!answer_ && !failure_) {
      is_asking_ = true;
      lock.unlock();
      std::optional<Answer> answer;
      std::exception_ptr failure;
      try {
        answer.emplace(ask());
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      answer_ = std::move(answer);
      failure_ = failure;
      is_asking_ = false;
      changed_.notify_all();
    }
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    return *answer_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_asking_ = false;
  std::optional<Answer> answer_;
  std::exception_ptr failure_;
};

}  // namespace inetdiag::kernel
