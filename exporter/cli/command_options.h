#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <spdlog/common.h>

#include "exporter/cli/command_line.h"
#include "exporter/commands/check.h"
#include "exporter/commands/print.h"
#include "exporter/commands/serve.h"
#include "exporter/commands/sockets.h"
#include "exporter/log/log.h"

namespace inetdiag {

using CommandOptions = std::variant<ServeOptions, CheckOptions, PrintOptions, SocketsOptions>;

/// A command with its options, and the options that all commands share.
struct Invocation {
  CommandOptions command{};
  int failure_exit_status = 0;
  spdlog::level::level_enum log_level = spdlog::level::info;
  std::optional<LogFormat> log_format{};
  std::vector<UnusedFlags> unused_flags{};
  std::string missing_privileges{};  ///< for --netns.discover; empty if none
};

/// Selects the options of the command.
Invocation make_invocation(Options options);

/// Parses the command line of this program, with all collectors.
CommandLine parse_command_line(std::span<const char* const> arguments);

}  // namespace inetdiag
