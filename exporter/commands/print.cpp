#include "exporter/commands/print.h"

#include <algorithm>
#include <chrono>

#include <unistd.h>

#include "exporter/commands/atomic_file.h"
#include "exporter/exposition/json.h"

namespace inetdiag {
namespace {

constexpr std::chrono::seconds scrape_timeout{10};

}  // namespace

int print(Scraper& scraper, const PrintOptions& options) {
  const auto result = scraper.scrape_all(Scraper::Clock::now() + scrape_timeout);
  const Exposition& exposition = result->exposition;
  const std::string json = options.format == PrintFormat::json ? page_json(exposition) : "";
  const std::string& text = json.empty() ? exposition.text() : json;
  if (options.output.empty()) {
    write_all(STDOUT_FILENO, text);
  } else {
    replace_file(options.output, text);
  }
  return std::ranges::all_of(result->outcomes, &CollectorOutcome::success) ? 0 : 1;
}

}  // namespace inetdiag
