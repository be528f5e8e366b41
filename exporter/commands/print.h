#pragma once

#include <string>
#include <vector>

#include "exporter/commands/host_paths.h"
#include "exporter/log/log.h"
#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// The exit status if nothing was printed.
inline constexpr int print_exit_failure = 2;

enum class PrintFormat { prometheus, openmetrics, json };

struct PrintOptions {
  HostPaths paths{};
  std::vector<NamedCollector> collectors{};
  PrintFormat format = PrintFormat::prometheus;
  std::string output{};  ///< the file to replace; empty for standard output
};

/// Runs `inetdiag_exporter print` and returns its exit status.
int run_print(PrintOptions options, const Log& log);

/// Scrapes all collectors once and writes the metrics. Returns the exit status: 0, or 1 if a
/// collector failed. Throws std::exception if the output cannot be written.
int print(Scraper& scraper, const PrintOptions& options);

}  // namespace inetdiag
