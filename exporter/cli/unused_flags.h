#pragma once

#include <string>
#include <vector>

#include "exporter/cli/command_line.h"

namespace inetdiag {

/// Flags that were given and change nothing. They are no error: a file that several hosts share may
/// hold them.
std::vector<UnusedFlags> unused_flags(const std::vector<std::string>& given,
                                      const Options& options);

}  // namespace inetdiag
