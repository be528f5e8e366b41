#pragma once

#include <chrono>

#include "exporter/log/log.h"

namespace inetdiag {

/// The time that clients and collectors have to finish on shutdown.
inline constexpr std::chrono::seconds shutdown_timeout{1};

/// Flushes the log and exits without waiting for threads or running destructors.
[[noreturn]] void exit_immediately(int status, const Log& log);

}  // namespace inetdiag
