// Each UDP port that something listens on: how full its receive buffer is, and what it dropped.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> udp_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help = "most bound addresses with series of their own; the rest is folded into "
             "address=\"other\"",
     .default_value = "500"},
}};

std::unique_ptr<Collector> make_udp(const Settings& settings);

}  // namespace inetdiag
