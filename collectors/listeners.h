// Queues, limits, drops and owner of each listening TCP endpoint.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "collectors/support/collector.h"
#include "collectors/support/cpu_budget.h"

namespace inetdiag {

inline constexpr std::array<SettingSpec, 2> listeners_settings = {{
    {.name = "max",
     .placeholder = "N",
     .help = "maximum number of listeners with their own series; others are aggregated into "
             "address=\"other\"",
     .default_value = "500"},
    {.name = "sample-interval",
     .placeholder = "DURATION",
     .help = "how often to sample the accept queues between scrapes, while somebody scrapes; 0: "
             "never",
     .default_value = "50ms",
     .netns_default = NetnsDefault{.value = "0",
                                   .description = "a thread in a network namespace keeps it from "
                                                  "being removed, for up to four scrapes"}},
}};

std::unique_ptr<Collector> make_listeners(const Settings& settings);

/// Replaced by tests.
struct ListenerClocks {
  std::function<CpuBudget::Clock::time_point()> now;
  std::function<CpuBudget::CpuTime()> thread_cpu;  ///< of the calling thread
};
std::unique_ptr<Collector> make_listeners_with_clocks(const Settings& settings,
                                                      ListenerClocks clocks);

}  // namespace inetdiag
