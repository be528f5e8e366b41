#include "exporter/commands/print.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include <unistd.h>

#include "exporter/commands/atomic_file.h"
#include "exporter/exposition/json.h"

namespace inetdiag {
namespace {

constexpr std::chrono::seconds scrape_timeout_default{10};

bool all_succeeded(const Page& page) {
  const auto success = std::ranges::find(page.families(), "inetdiag_scrape_collector_success",
                                         &prometheus::MetricFamily::name);
  return success != page.families().end() &&
         std::ranges::all_of(success->metric,
                             [](const auto& metric) { return metric.gauge.value == 1; });
}

}  // namespace

int print(Scraper& scraper, const PrintOptions& options) {
  Selection all(scraper.names().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto page = scraper.scrape(all, Scraper::Clock::now() + scrape_timeout_default);
  const std::string json = options.format == PrintFormat::json ? page_json(*page) : "";
  const std::string& text = json.empty() ? page->text() : json;
  if (options.output.empty()) {
    write_all(STDOUT_FILENO, text);
  } else {
    replace_file(options.output, text);
  }
  return all_succeeded(*page) ? 0 : 1;
}

}  // namespace inetdiag
