// Ephemeral ports in use, counted in the full dump of the collector tcp.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> ports_settings = {{
    {.name = "destinations",
     .placeholder = "N",
     .help = "number of destinations with their own series, those with the fewest ports left; puts "
             "addresses of peers on the page",
     .default_value = "0"},
}};

std::unique_ptr<Collector> make_ports(const Settings& settings);

}  // namespace inetdiag
