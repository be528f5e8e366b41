// Queues, limits, drops and owner of each listening TCP endpoint.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> listeners_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help = "maximum number of listeners with their own series; others are aggregated into "
             "address=\"other\"",
     .default_value = "500"},
}};

std::unique_ptr<Collector> make_listeners(const Settings& settings);

}  // namespace inetdiag
