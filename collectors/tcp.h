// TCP sockets by state, and by the port that they came in on.
#pragma once

#include <array>
#include <memory>

#include "collectors/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 1> tcp_settings = {{
    {.name = "max-ports",
     .placeholder = "N",
     .help = "most listening ports with series of their own; the rest counts under port=\"other\"",
     .fallback = "100"},
}};

std::unique_ptr<Collector> make_tcp(const Settings& settings);

}  // namespace inetdiag
