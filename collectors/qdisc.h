// Queueing disciplines of network devices, as `tc -s qdisc` shows them.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> qdisc_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help = "maximum number of devices with series; those with drops first",
     .default_value = "50"},
}};

std::unique_ptr<Collector> make_qdisc(const Settings& settings);

}  // namespace inetdiag
