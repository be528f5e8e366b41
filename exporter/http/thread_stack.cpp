#include "exporter/http/thread_stack.h"

#include <cstddef>
#include <cstdint>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace inetdiag {

void* stack_bottom() {
  pthread_attr_t attributes{};
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) {
    return nullptr;
  }
  void* bottom = nullptr;
  std::size_t size = 0;
  const int error = ::pthread_attr_getstack(&attributes, &bottom, &size);
  ::pthread_attr_destroy(&attributes);
  return error == 0 ? bottom : nullptr;
}

void release_unused_stack(void* bottom) {
  // For the frame of madvise() and what a signal handler must not touch (the red zone).
  constexpr std::uintptr_t margin = 512;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto begin = reinterpret_cast<std::uintptr_t>(bottom);
  const std::uintptr_t end = (frame - margin) & ~(page - 1);
  if (bottom != nullptr && begin < end) {
    ::madvise(bottom, end - begin, MADV_DONTNEED);
  }
}

}  // namespace inetdiag
