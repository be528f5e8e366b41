#pragma once

#include <chrono>

#include "exporter/log/log.h"

namespace inetdiag {

/// How long a client or the kernel may hold up the end of the program.
inline constexpr std::chrono::seconds shutdown_timeout{1};

/// Ends the program without waiting for its threads.
[[noreturn]] void leave(int status, const Log& log);

}  // namespace inetdiag
