#include "exporter/diagnosis/take_snapshot.h"

namespace inetdiag {

diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point deadline) {
  const Scraper::ResultPtr result = scraper.scrape_all(deadline);
  return {Scraper::Clock::now(), diagnosis::snapshot_of(result->exposition.families(),
                                                        result->outcomes, result->recent_fills)};
}

}  // namespace inetdiag
