// Each listening UNIX socket: how full its accept queue is; and how many sockets there are.
#pragma once

#include <array>
#include <memory>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> unix_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help =
         "most listening paths with series of their own; the rest is folded into path=\"other\"",
     .default_value = "200"},
}};

std::unique_ptr<Collector> make_unix(const Settings& settings);

}  // namespace inetdiag
