// Why nobody accepts the connections of a listener: its processes, and the limits of their cgroup.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "collectors/support/collector.h"
#include "collectors/support/cpu_budget.h"

namespace inetdiag {

std::unique_ptr<Collector> make_owners(const Settings& settings);

/// Replaced by tests.
struct OwnerClocks {
  std::function<CpuBudget::Clock::time_point()> now;
  std::function<CpuBudget::CpuTime()> thread_cpu;  ///< of the calling thread
  /// The capability that this process lacks to read the descriptors of others; empty if none.
  std::function<std::string()> missing_capability;
};
std::unique_ptr<Collector> make_owners_with_clocks(OwnerClocks clocks);

}  // namespace inetdiag
