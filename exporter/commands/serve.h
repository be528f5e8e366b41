#pragma once

#include <functional>

#include "exporter/cli/command_line.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Serves, and pushes to StatsD, as the options say, until SIGINT or SIGTERM. `once_confined` is
/// called before its threads run and once the process has given up what it does not need. Throws
/// std::runtime_error with a text that says what to do where it cannot begin.
void serve(Options options, const Log& log, const std::function<void()>& once_confined);

}  // namespace inetdiag
