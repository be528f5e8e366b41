// Sysctls as gauges: the limits of the network stack.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> sysctl_settings = {{
    {.name = "include",
     .placeholder = "NAME",
     .help = "also export this sysctl (net.ipv4.tcp_congestion_control), repeatable",
     .default_value = "",
     .is_repeatable = true},
}};

std::unique_ptr<Collector> make_sysctl(const Settings& settings);

}  // namespace inetdiag
