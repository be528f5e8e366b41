// The flags --statsd.*.
#pragma once

#include <string>

#include "exporter/cli/flags.h"
#include "exporter/statsd/pusher.h"

namespace inetdiag::statsd {

/// What the command line holds, before it is read.
struct Flags {
  Options options;
  std::string address;
  std::string tags = "none";
};

/// Adds the flags to the program's; `flags` must outlive the parsing.
void add_flags(CLI::App& app, Flags& flags);

/// Throws std::invalid_argument where a value is no good.
Options options_of(const Flags& flags);

}  // namespace inetdiag::statsd
