#include "exporter/diagnosis/take_snapshot.h"

namespace inetdiag {

diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point deadline,
                                       const std::string& netns_directory) {
  const Scraper::ResultPtr result = scraper.scrape_all(deadline);
  diagnosis::TimedSnapshot taken{
      Scraper::Clock::now(),
      diagnosis::snapshot_of(result->exposition.families(), result->outcomes)};
  taken.snapshot.netns_directory = netns_directory;
  return taken;
}

}  // namespace inetdiag
