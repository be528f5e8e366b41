#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/scrape/scraper.h"

namespace inetdiag {

/// A request that asks for what cannot be had; its text tells the client why.
struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Which collectors the query string of a scrape asks for: `collect[]=a&collect[]=b`, or all but
/// `exclude[]=a`. `enabled` are the collectors by their index; `all` is every name that the program
/// knows. Throws BadRequest.
Selection parse_selection(std::string_view query, const std::vector<std::string>& enabled,
                          const std::vector<std::string>& all);

}  // namespace inetdiag
