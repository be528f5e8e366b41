#pragma once

#include "exporter/diagnosis/status.h"
#include "exporter/scraper.h"

namespace inetdiag {

/// What a scrape of all collectors finds until `end`, and why those failed that did. Throws
/// ScrapeStopped.
diagnosis::TimedSnapshot look_at_all(Scraper& scraper, Scraper::Clock::time_point end);

}  // namespace inetdiag
