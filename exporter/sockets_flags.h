// The flags of `inetdiag_exporter sockets`.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "exporter/sockets.h"

namespace inetdiag {

/// What the command line holds, before it is read.
struct SocketsFlags {
  SocketsOptions options;
  std::vector<std::string> states;
  std::vector<std::string> peers;
  std::string family;
  std::string format;
};

/// Adds the command to the program's; `flags` must outlive the parsing.
CLI::App* add_sockets_command(CLI::App& app, SocketsFlags& flags);

/// Throws std::invalid_argument where a value is no good.
SocketsOptions sockets_options(const SocketsFlags& flags);

}  // namespace inetdiag
