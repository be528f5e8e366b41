// The flags of `inetdiag_exporter sockets`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "exporter/cli/flags.h"
#include "exporter/commands/sockets.h"

namespace inetdiag {

struct SocketsFlags {
  SocketsOptions options;
  std::uint32_t states = 0;              ///< a mask; 0: --state was not given
  std::optional<SocketsFormat> format;   ///< std::nullopt: --format was not given
  std::optional<std::size_t> top_count;  ///< std::nullopt: --top-count was not given
};

/// `flags` must outlive the parsing.
void add_sockets_flags(CLI::App& command, SocketsFlags& flags);

/// Throws std::invalid_argument if flags contradict each other.
SocketsOptions sockets_options(const SocketsFlags& flags);

}  // namespace inetdiag
