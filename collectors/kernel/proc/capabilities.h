#pragma once

#include <string_view>

namespace inetdiag::kernel {

/// Whether the effective set in the text of /proc/PID/status holds a capability (proc(5), CapEff).
bool has_capability(std::string_view proc_status, unsigned capability);

}  // namespace inetdiag::kernel
