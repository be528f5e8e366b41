#pragma once

#include <span>
#include <string>
#include <vector>

#include "collectors/support/collector.h"
#include "exporter/cli/command_line.h"

namespace inetdiag {

/// Returns the flags of `given` that have no effect, for a warning. They are not an error, as
/// several hosts may share a configuration.
std::vector<UnusedFlags> unused_flags(const std::vector<std::string>& given, const Options& options,
                                      std::span<const CollectorEntry> registry);

}  // namespace inetdiag
