#pragma once

#include <chrono>
#include <ostream>
#include <string>

#include "exporter/scrape/scraper.h"

namespace inetdiag {

enum class CheckFormat { text, json };

/// The exit status where it could not look.
inline constexpr int check_exit_unknown = 3;

struct CheckOptions {
  double interval_seconds = 1;
  CheckFormat format = CheckFormat::text;
  std::string netns_folder = "/run/netns";
};

/// `inetdiag_exporter check`: two looks, an interval apart, and what they tell, written to `out`.
/// Returns the exit status: 0 nothing or notices, 1 a warning, 2 something critical, 3 where it
/// could not look.
int check(Scraper& scraper, const CheckOptions& options, std::ostream& out, bool in_colour);

}  // namespace inetdiag
