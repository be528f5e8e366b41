#pragma once

#include "exporter/sandbox/sandbox.h"

namespace inetdiag {

/// By seccomp: what is not on the list fails with EPERM, in all threads. Not a kill: a library that
/// tries something new must not end the exporter at night. Throws std::runtime_error.
void restrict_system_calls(const SandboxPolicy& policy);

}  // namespace inetdiag
