// Receive queues, limits and drops of bound UDP sockets.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> udp_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help = "maximum number of bound addresses with their own series; others are aggregated into "
             "address=\"other\"",
     .default_value = "500"},
}};

std::unique_ptr<Collector> make_udp(const Settings& settings);

}  // namespace inetdiag
