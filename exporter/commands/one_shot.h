// The commands that answer and end: check, print and sockets.
#pragma once

#include "exporter/cli/command_line.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Runs the command of the options, which is not Command::serve. Returns the exit status. Throws
/// std::exception where it could not do what was asked and has not logged why.
int run_once(Options options, const Log& log);

}  // namespace inetdiag
