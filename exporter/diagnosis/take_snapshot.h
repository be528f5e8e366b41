#pragma once

#include <string>

#include "exporter/diagnosis/status.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// Scrapes all collectors. Network namespaces are pinned in `netns_folder`. Throws ScrapeStopped.
diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point deadline,
                                       const std::string& netns_folder);

}  // namespace inetdiag
