#pragma once

#include "exporter/diagnosis/status.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// Scrapes all collectors. Throws ScrapeStopped.
diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point deadline);

}  // namespace inetdiag
