#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <spdlog/common.h>

#include "collectors/netns.h"
#include "collectors/support/collector.h"
#include "exporter/commands/check.h"
#include "exporter/commands/host_paths.h"
#include "exporter/commands/print.h"
#include "exporter/commands/sockets.h"
#include "exporter/http/listen_address.h"
#include "exporter/http/router.h"
#include "exporter/log/log.h"
#include "exporter/statsd/pusher.h"

namespace inetdiag {

enum class Command { serve, check, print, sockets };

/// Returns the exit status for an exception or a usage error. It differs from the statuses that
/// describe the host or a collector.
int failure_exit_status(Command command);

/// Flags that were given but have no effect.
struct UnusedFlags {
  std::string flags;  ///< separated by spaces
  std::string reason;
};

struct Options {
  Command command = Command::serve;
  CheckOptions check;
  PrintOptions print;
  SocketsOptions sockets;
  statsd::Options statsd;
  bool no_web = false;
  std::vector<ListenAddress> listen_addresses;
  bool systemd_socket = false;
  RouterOptions web;
  std::string web_config_file;  ///< empty for none
  bool sandbox = true;
  bool exporter_metrics = true;
  HostPaths paths;
  spdlog::level::level_enum log_level = spdlog::level::info;
  std::optional<LogFormat> log_format;  ///< std::nullopt: --log.format was not given
  NetnsOptions netns;
  std::vector<NamedCollector> collectors;  ///< the enabled ones, in the registry's order
  std::vector<UnusedFlags> unused_flags;
};

/// Options to run with, or a text to print and an exit status.
struct CommandLine {
  std::optional<Options> options{};
  std::string text{};
  int exit_status = 0;
};

/// The flags of each collector come from its entry in the registry.
CommandLine parse_command_line(std::span<const char* const> arguments,
                               std::span<const CollectorEntry> registry);

}  // namespace inetdiag
