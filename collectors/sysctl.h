// The limits of the network stack: sysctls as gauges.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> sysctl_settings = {{
    {.name = "include",
     .placeholder = "NAME",
     .help = "export this sysctl (net.ipv4.tcp_congestion_control) beside the default ones",
     .default_value = "",
     .is_repeatable = true},
}};

std::unique_ptr<Collector> make_sysctl(const Settings& settings);

}  // namespace inetdiag
