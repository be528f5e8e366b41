// The flags --statsd.*.
#pragma once

#include "exporter/cli/flags.h"
#include "exporter/statsd/pusher.h"

namespace inetdiag::statsd {

/// `options` must outlive the parsing.
void add_flags(CLI::App& app, Options& options);

}  // namespace inetdiag::statsd
