#pragma once

#include <string>

#include "exporter/diagnosis/status.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// Scrapes all collectors. `netns_directory` is the directory of pinned namespaces. Throws
/// ScrapeStopped.
diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point deadline,
                                       const std::string& netns_directory);

}  // namespace inetdiag
