#pragma once

namespace inetdiag {

/// Returns the lowest address of the calling thread's stack (pthread_getattr_np(3)); null if it is
/// unknown.
void* stack_bottom();

/// Returns the memory between the lowest address of the calling thread's stack and the frame of the
/// caller to the system (MADV_DONTNEED of madvise(2)). Does nothing without an address.
void release_unused_stack(void* bottom);

}  // namespace inetdiag
