// Properties of every page: valid text format without duplicate series.
#pragma once

#include <cmath>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "collectors/support/collector.h"
#include "exporter/exposition/exposition.h"
#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

inline bool is_name(std::string_view text) {
  const auto is_first = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_first(text[i]) && (i == 0 || text[i] < '0' || text[i] > '9')) {
      return false;
    }
  }
  return !text.empty();
}

/// Removes `name{label="value",...}` from the front of a line and returns it.
inline std::string_view take_series(std::string_view& line) {
  const std::string_view full_line = line;
  require(is_name(take(line, line.find_first_of("{ "))), "metric names are valid");
  if (line.starts_with('{')) {
    take(line, 1);
    while (!line.starts_with('}')) {
      require(is_name(take(line, line.find('='))), "label names are valid");
      require(take(line, 2) == "=\"", "label values are quoted");
      while (!line.empty() && line.front() != '"') {
        if (take(line, 1) == "\\") {
          const std::string_view escaped = take(line, 1);
          require(escaped == "\\" || escaped == "\"" || escaped == "n",
                  "escape sequences are valid");
        }
      }
      require(take(line, 1) == "\"", "label values are terminated");
      if (line.starts_with(',')) {
        take(line, 1);
      }
    }
    take(line, 1);
  }
  return full_line.substr(0, full_line.size() - line.size());
}

inline void require_valid_text(std::string_view text) {
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    require(false, "the page is UTF-8");
  }
  std::set<std::string_view> seen;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    require(end != std::string_view::npos, "lines are terminated");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ") || line.starts_with("# UNIT ")) {
      continue;
    }
    require(seen.insert(take_series(line)).second, "series are unique");
    require(take(line, 1) == " ", "a space precedes the value");
    const std::string value(line);
    char* stop = nullptr;
    const double number = std::strtod(value.c_str(), &stop);
    require(!value.empty() && *stop == '\0' && !std::isnan(number), "values are numbers");
  }
}

inline void require_valid_page(Collection collection) {
  const Exposition exposition(std::move(collection.families));
  require_valid_text(exposition.page(PageFormat::text));
  std::string_view openmetrics = exposition.page(PageFormat::openmetrics);
  constexpr std::string_view end = "# EOF\n";
  require(openmetrics.ends_with(end), "OpenMetrics has an end");
  openmetrics.remove_suffix(end.size());
  require_valid_text(openmetrics);
}

}  // namespace inetdiag::fuzz
