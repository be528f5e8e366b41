#pragma once

#include "exporter/sandbox/sandbox.h"

namespace inetdiag {

/// Applies a seccomp(2) filter to all threads: system calls that are not on the list fail with
/// EPERM. They do not kill the process: a library update that uses a new system call must not take
/// the exporter down. Throws std::runtime_error if the filter cannot be loaded.
void restrict_system_calls(const SandboxPolicy& policy);

}  // namespace inetdiag
