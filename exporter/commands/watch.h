#pragma once

#include "exporter/commands/check.h"
#include "exporter/log/log.h"

namespace inetdiag {

/// Runs `inetdiag_exporter check --watch` until a key, a signal, or the end of its reader. Returns
/// the exit status of the last check.
int run_watch(CheckOptions options, bool use_color, const Log& log);

}  // namespace inetdiag
