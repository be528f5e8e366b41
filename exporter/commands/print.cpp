#include "exporter/commands/print.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include "exporter/commands/atomic_file.h"
#include "exporter/commands/run_with_scraper.h"
#include "exporter/exposition/json.h"
#include "exporter/scrape/self_metrics.h"

namespace inetdiag {
namespace {

constexpr std::chrono::seconds print_timeout{10};

std::string page_in_format(const Exposition& exposition, PrintFormat format) {
  switch (format) {
    case PrintFormat::json:
      return page_json(exposition);
    case PrintFormat::openmetrics:
      return exposition.page(PageFormat::openmetrics);
    case PrintFormat::prometheus:
      break;
  }
  return exposition.page(PageFormat::text);
}

}  // namespace

int print(Scraper& scraper, const PrintOptions& options) {
  const auto result = scraper.scrape_all(Scraper::Clock::now() + print_timeout);
  const std::string text = page_in_format(result->exposition, options.format);
  if (options.output.empty()) {
    write_all(STDOUT_FILENO, text);
  } else {
    replace_file(options.output, text);
  }
  return std::ranges::all_of(result->outcomes, &CollectorOutcome::success) ? 0 : 1;
}

int run_print(PrintOptions options, const Log& log) {
  // Without process_*: node_exporter, which may read the output, exports its own.
  return run_with_scraper(options.paths, std::move(options.collectors), self_metrics(false),
                          print_exit_failure, log, [&](Scraper& scraper) {
                            try {
                              return print(scraper, options);
                            } catch (const BrokenPipe&) {
                              return EXIT_SUCCESS;
                            }
                          });
}

}  // namespace inetdiag
