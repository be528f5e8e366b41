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

/// A value that is computed once, by the first caller of get(). Concurrent and later callers get
/// the same value, or the same exception.
template <typename Value>
class Memoized {
 public:
  /// Returns the value if it has been computed, else nullptr.
  const Value* value_if_ready() {
    const std::scoped_lock lock(mutex_);
    return value_ ? &*value_ : nullptr;
  }

  /// Like value_if_ready(), but waits while another thread computes the value. Throws
  /// DeadlineExceeded.
  const Value* value_if_started(const Deadline& deadline) {
    std::unique_lock lock(mutex_);
    wait_while_computing(lock, deadline);
    return value_ ? &*value_ : nullptr;
  }

  /// Throws the exception of `compute`, and DeadlineExceeded if another thread is still computing
  /// at the deadline.
  const Value& get(const Deadline& deadline, const std::function<Value()>& compute) {
    std::unique_lock lock(mutex_);
    wait_while_computing(lock, deadline);
    if (!value_ && !error_) {
      is_computing_ = true;
      lock.unlock();
      std::optional<Value> value;
      std::exception_ptr error;
      try {
        value.emplace(compute());
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      value_ = std::move(value);
      error_ = error;
      is_computing_ = false;
      changed_.notify_all();
    }
    if (error_) {
      std::rethrow_exception(error_);
    }
    return *value_;
  }

 private:
  void wait_while_computing(std::unique_lock<std::mutex>& lock, const Deadline& deadline) {
    while (is_computing_) {
      deadline.check();
      // A stop request does not notify changed_, so poll for it.
      const auto next_check = Deadline::Clock::now() + std::chrono::milliseconds(100);
      changed_.wait_until(lock, std::min(deadline.end(), next_check));
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_computing_ = false;
  std::optional<Value> value_;
  std::exception_ptr error_;
};

}  // namespace inetdiag::kernel
