// TCP sockets by state and by listening port.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "collectors/support/collector.h"
#include "collectors/support/cpu_budget.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 3> tcp_settings = {{
    {.name = "max-ports",
     .placeholder = "N",
     .help = "maximum number of listening ports with their own series; others are aggregated into "
             "port=\"other\"",
     .default_value = "100"},
    {.name = "cpu-budget",
     .placeholder = "PERCENT",
     .help = "share of one CPU that counting the sockets by port may use; between counts the last "
             "one is exported; 0 disables it, 100% counts at every scrape",
     .default_value = "1%"},
    {.name = "info",
     .placeholder = "NAME",
     .help = "on or off: round-trip times, congestion windows and limits of the connections by "
             "port; counting "
             "the sockets by port costs about a third more, within the CPU budget",
     .default_value = "off"},
}};

std::unique_ptr<Collector> make_tcp(const Settings& settings);

/// Replaced by tests.
struct TcpClocks {
  std::function<CpuBudget::Clock::time_point()> now;
  std::function<CpuBudget::CpuTime()> thread_cpu;  ///< of the calling thread
};
std::unique_ptr<Collector> make_tcp_with_clocks(const Settings& settings, TcpClocks clocks);

}  // namespace inetdiag
