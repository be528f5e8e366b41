#pragma once

#include <chrono>
#include <ctime>

namespace inetdiag {

/// Returns the CPU time that the calling thread has used (CLOCK_THREAD_CPUTIME_ID of
/// clock_gettime(2)).
inline std::chrono::duration<double> thread_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace inetdiag
