// The flags --netns.*.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/netns.h"
#include "exporter/cli/flags.h"

namespace inetdiag {

/// The name of the collector that asks other network namespaces.
inline constexpr const char* netns_collector = "netns";

/// What the command line holds, before it is read.
struct NetnsFlags {
  NetnsOptions options;
  std::string discovery = "off";
  std::string include;
  std::string exclude;
  std::string nstat_include;
};

/// Adds the flags to the program's; `flags` must outlive the parsing.
void add_netns_flags(CLI::App& app, NetnsFlags& flags);

/// Throws std::invalid_argument where a value is no good.
NetnsOptions netns_options(const NetnsFlags& flags);

}  // namespace inetdiag
