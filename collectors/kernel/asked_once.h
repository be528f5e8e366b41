#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <optional>

namespace inetdiag::kernel {

/// An answer that several collectors need and that is asked of the kernel once: who comes first
/// asks, the others wait for the same answer, or for the same exception.
template <typename Answer>
class AskedOnce {
 public:
  const Answer& get(const std::function<Answer()>& ask) {
    const std::scoped_lock lock(mutex_);
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    if (!answer_) {
      try {
        answer_.emplace(ask());
      } catch (...) {
        failure_ = std::current_exception();
        throw;
      }
    }
    return *answer_;
  }

 private:
  std::mutex mutex_;
  std::optional<Answer> answer_;
  std::exception_ptr failure_;
};

}  // namespace inetdiag::kernel
