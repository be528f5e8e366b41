#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// Causes a response with status 400 and the message as body.
struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Returns the collectors that a query selects: `collect[]=a&collect[]=b`, or all except
/// `exclude[]=a`, as indices into `enabled`. `all` includes the disabled collectors. Throws
/// BadRequest.
Selection parse_selection(std::string_view query, const std::vector<std::string>& enabled,
                          const std::vector<std::string>& all);

}  // namespace inetdiag
