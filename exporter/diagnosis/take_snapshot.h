#pragma once

#include <string>

#include "exporter/diagnosis/status.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// What a scrape of all collectors finds until `end`, and why those failed that did; other
/// network namespaces are pinned in `netns_folder`. Throws ScrapeStopped.
diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point end,
                                       const std::string& netns_folder);

}  // namespace inetdiag
