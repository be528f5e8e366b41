#pragma once

#include <string_view>

namespace inetdiag::kernel {

/// Returns whether a capability is in the effective set (CapEff) of /proc/PID/status, proc(5).
bool has_capability(std::string_view proc_status, unsigned capability);

}  // namespace inetdiag::kernel
