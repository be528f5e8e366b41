// What every page must be, whatever the kernel said: text that Prometheus takes, in which no series
// stands twice.
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

/// Cuts `name{label="value",...}` off the front of a line.
inline std::string_view take_series(std::string_view& line) {
  const std::string_view whole = line;
  require(is_name(take(line, line.find_first_of("{ "))), "a metric has a name");
  if (line.starts_with('{')) {
    take(line, 1);
    while (!line.starts_with('}')) {
      require(is_name(take(line, line.find('='))), "a label has a name");
      require(take(line, 2) == "=\"", "a label's value is quoted");
      while (!line.empty() && line.front() != '"') {
        if (take(line, 1) == "\\") {
          const std::string_view escaped = take(line, 1);
          require(escaped == "\\" || escaped == "\"" || escaped == "n", "an escape is known");
        }
      }
      require(take(line, 1) == "\"", "a label's value ends");
      if (line.starts_with(',')) {
        take(line, 1);
      }
    }
    take(line, 1);
  }
  return whole.substr(0, whole.size() - line.size());
}

inline void require_valid_text(std::string_view text) {
  try {
    (void)nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    require(false, "the page is UTF-8");
  }
  std::set<std::string_view> met;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    require(end != std::string_view::npos, "a line ends");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
      continue;
    }
    require(met.insert(take_series(line)).second, "a series stands once");
    require(take(line, 1) == " ", "a blank before the value");
    const std::string value(line);
    char* stop = nullptr;
    const double number = std::strtod(value.c_str(), &stop);
    require(!value.empty() && *stop == '\0' && !std::isnan(number), "a value is a number");
  }
}

inline void require_valid_page(Collection collection) {
  require_valid_text(Exposition(std::move(collection.families)).text());
}

}  // namespace inetdiag::fuzz
