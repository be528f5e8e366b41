#pragma once

#include <string>

#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// The exit status where nothing could be printed.
inline constexpr int print_exit_failure = 2;

enum class PrintFormat { prometheus, json };

struct PrintOptions {
  PrintFormat format = PrintFormat::prometheus;
  std::string output{};  ///< the file to replace; standard output where empty
};

/// `inetdiag_exporter print`: one scrape of everything, written. Returns the exit status: 0, or 1
/// where a collector failed; what the others found is written all the same. Throws where it cannot
/// write.
int print(Scraper& scraper, const PrintOptions& options);

}  // namespace inetdiag
