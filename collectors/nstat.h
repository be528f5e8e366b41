// Every counter of the network stack that nstat(8) shows, typed and explained.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/support/collector.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 2> nstat_settings = {{
    {.name = "include",
     .placeholder = "REGEX",
     .help = "export only counters whose kernel name (TcpExtListenOverflows) matches",
     .fallback = ""},
    {.name = "exclude",
     .placeholder = "REGEX",
     .help = "leave out counters whose kernel name matches",
     .fallback = ""},
}};

std::unique_ptr<Collector> make_nstat(const Settings& settings);

/// `inetdiag_nstat_tcpext_listen_overflows` of TcpExt and ListenOverflows, without `_total`.
std::string nstat_metric_name(std::string_view group, std::string_view name);

}  // namespace inetdiag
