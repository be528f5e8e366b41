#pragma once

#include <variant>

#include "exporter/cli/command_line.h"
#include "exporter/commands/check.h"
#include "exporter/commands/print.h"
#include "exporter/commands/serve.h"
#include "exporter/commands/sockets.h"

namespace inetdiag {

using CommandOptions = std::variant<ServeOptions, CheckOptions, PrintOptions, SocketsOptions>;

/// Returns the part of the options that the command on the command line uses.
CommandOptions command_options(Options options);

}  // namespace inetdiag
