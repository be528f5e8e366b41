// Accept queues of listening UNIX sockets, unread datagrams, and the number of UNIX sockets.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> unix_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help =
         "maximum number of listening paths, and of paths with unread datagrams, with their own "
         "series; others are aggregated into path=\"other\"",
     .default_value = "200"},
}};

std::unique_ptr<Collector> make_unix(const Settings& settings);

}  // namespace inetdiag
