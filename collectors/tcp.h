// TCP sockets by state, and by the port that they came in on.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "collectors/support/collector.h"
#include "collectors/support/cpu_budget.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 2> tcp_settings = {{
    {.name = "max-ports",
     .placeholder = "N",
     .help = "most listening ports with series of their own; the rest counts under port=\"other\"",
     .default_value = "100"},
    {.name = "cpu-budget",
     .placeholder = "PERCENT",
     .help = "share of one CPU that counting the sockets by port may take; in between the last "
             "count stands. 0 turns it off, 100% counts at every scrape",
     .default_value = "1%"},
}};

std::unique_ptr<Collector> make_tcp(const Settings& settings);

/// What a test puts in the place of time.
struct TcpClocks {
  std::function<CpuBudget::Clock::time_point()> now;
  std::function<CpuBudget::CpuTime()> thread_cpu;  ///< what the calling thread has used
};
std::unique_ptr<Collector> make_tcp_with_clocks(const Settings& settings, TcpClocks clocks);

}  // namespace inetdiag
