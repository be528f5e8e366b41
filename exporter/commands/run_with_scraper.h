#pragma once

#include <functional>
#include <vector>

#include "exporter/commands/host_paths.h"
#include "exporter/log/log.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// Runs a command that scrapes and exits. Returns its exit status, or logs its exception and
/// returns `failure_status`. A collector thread that is stuck in the kernel does not delay the
/// exit.
int run_with_scraper(const HostPaths& paths, std::vector<NamedCollector> collectors,
                     Scraper::FamilySource self_metrics, int failure_status, const Log& log,
                     const std::function<int(Scraper&)>& command);

}  // namespace inetdiag
