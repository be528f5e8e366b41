#include "exporter/diagnosis/take_snapshot.h"

#include <numeric>

namespace inetdiag {

diagnosis::TimedSnapshot take_snapshot(Scraper& scraper, Scraper::Clock::time_point end,
                                       const std::string& netns_folder) {
  Selection all(scraper.names().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto page = scraper.scrape(all, end);
  diagnosis::TimedSnapshot taken{Scraper::Clock::now(), diagnosis::snapshot_of(page->families())};
  taken.snapshot.netns_folder = netns_folder;
  auto errors = scraper.errors();
  for (diagnosis::CollectorOutcome& collector : taken.snapshot.collectors) {
    // Another scrape may have failed since.
    if (!collector.success) {
      collector.error = errors[collector.name];
    }
  }
  return taken;
}

}  // namespace inetdiag
