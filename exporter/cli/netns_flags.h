// The flags --netns.* that do not belong to a single collector.
#pragma once

#include "collectors/netns.h"
#include "exporter/cli/flags.h"

namespace inetdiag {

inline constexpr const char* netns_flag_group = "Network namespaces";

/// `options` must outlive the parsing.
void add_netns_flags(CLI::App& app, NetnsOptions& options);

}  // namespace inetdiag
