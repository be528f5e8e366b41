#pragma once

#include <string>

#include "exporter/sandbox/sandbox.h"

namespace inetdiag {

/// Applies landlock(7): only the policy's paths can be read, no file can be written, created or
/// executed, TCP can connect only to the policy's ports and cannot bind, and signals do not reach
/// other processes. Returns a description of the restrictions that this kernel's Landlock lacks;
/// empty if none. Throws std::runtime_error if it cannot be applied.
std::string restrict_files(const SandboxPolicy& policy);

}  // namespace inetdiag
