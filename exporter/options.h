#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <spdlog/common.h>

#include "collectors/collector.h"
#include "exporter/check.h"
#include "exporter/listen_address.h"
#include "exporter/log.h"
#include "exporter/other_namespaces.h"
#include "exporter/print.h"
#include "exporter/scraper.h"
#include "exporter/sockets.h"
#include "exporter/statsd/push.h"
#include "exporter/web.h"

namespace inetdiag {

enum class Command { serve, check, print, sockets };

/// The exit status of a command that threw, or was given wrong flags: what 1 tells about the host
/// or about a collector, they must not.
int status_of_failure(Command command);

/// Flags that were given, and why they change nothing.
struct IdleFlags {
  std::string flags;  ///< with a blank between two
  std::string why;
};

/// What the command line chose.
struct Options {
  Command command = Command::serve;
  CheckOptions check;
  PrintOptions print;
  SocketsOptions sockets;
  statsd::Options statsd;
  bool no_web = false;
  std::vector<ListenAddress> listen_addresses;
  WebOptions web;
  std::string web_config_file;  ///< empty for none
  bool sandbox = true;
  bool exporter_metrics = true;
  std::string proc = "/proc";
  std::string sys = "/sys";
  spdlog::level::level_enum log_level = spdlog::level::info;
  LogFormat log_format = LogFormat::logfmt;
  NetnsOptions netns;
  std::vector<NamedCollector> collectors;  ///< the enabled ones, in the registry's order
  std::vector<IdleFlags> idle;
};

/// What the command line comes to: options to run with, or a text to print and an exit status.
struct CommandLine {
  std::optional<Options> options{};
  std::string text{};
  int exit_status = 0;
};

/// Flags in the words of node_exporter; each collector's come from its row in the registry.
CommandLine parse_command_line(std::span<const char* const> arguments,
                               std::span<const CollectorEntry> registry);

}  // namespace inetdiag
