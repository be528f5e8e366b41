// The flags of `inetdiag_exporter sockets`.
#pragma once

#include <string>
#include <vector>

#include "exporter/cli/flags.h"
#include "exporter/commands/sockets.h"

namespace inetdiag {

/// What the command line holds, before it is read.
struct SocketsFlags {
  SocketsOptions options;
  std::vector<std::string> states;
  std::vector<std::string> peers;
  std::string family;
  std::string format;
};

/// Adds the flags to those of the command; `flags` must outlive the parsing.
void add_sockets_flags(CLI::App& command, SocketsFlags& flags);

/// Throws std::invalid_argument where a value is no good.
SocketsOptions sockets_options(const SocketsFlags& flags);

}  // namespace inetdiag
