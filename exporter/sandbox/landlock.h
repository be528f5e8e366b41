#pragma once

#include <string>

#include "exporter/sandbox/sandbox.h"

namespace inetdiag {

/// By Landlock: files can be read where the policy says, and none written, made or run; TCP can
/// connect only to the policy's ports and bind none; signals reach no other process. Returns what
/// this kernel's Landlock leaves open. Throws std::runtime_error.
std::string restrict_files(const SandboxPolicy& policy);

}  // namespace inetdiag
