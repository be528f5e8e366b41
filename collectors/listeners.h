// Each listening TCP endpoint: how full its queues are, where they end, what it dropped, who owns
// it.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> listeners_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help = "most listeners with series of their own; the rest is folded into address=\"other\"",
     .default_value = "500"},
}};

std::unique_ptr<Collector> make_listeners(const Settings& settings);

}  // namespace inetdiag
