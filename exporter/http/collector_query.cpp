#include "exporter/http/collector_query.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <civetweb.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

std::string url_decode(std::string_view text) {
  std::string value(text.size() + 1, '\0');
  constexpr int plus_is_space = 1;
  const int length = mg_url_decode(text.data(), static_cast<int>(text.size()), value.data(),
                                   static_cast<int>(value.size()), plus_is_space);
  value.resize(static_cast<std::size_t>(std::max(length, 0)));
  return value;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

void require_enabled(const std::string& name, const std::vector<std::string>& enabled,
                     const std::vector<std::string>& all) {
  if (contains(enabled, name)) {
    return;
  }
  throw BadRequest(fmt::format("{} collector: '{}', expected one of {}",
                               contains(all, name) ? "disabled" : "unknown", name,
                               fmt::join(enabled, ", ")));
}

}  // namespace

Selection parse_selection(std::string_view query, const std::vector<std::string>& enabled,
                          const std::vector<std::string>& all) {
  std::set<std::string> collect;
  std::set<std::string> exclude;
  while (!query.empty()) {
    std::string_view value = kernel::cut(query, '&');
    const std::string name = url_decode(kernel::cut(value, '='));
    if (name == "collect[]") {
      collect.insert(url_decode(value));
    } else if (name == "exclude[]") {
      exclude.insert(url_decode(value));
    }
  }
  if (!collect.empty() && !exclude.empty()) {
    throw BadRequest("collect[] and exclude[] cannot be combined");
  }
  for (const auto* names : {&collect, &exclude}) {
    for (const std::string& name : *names) {
      require_enabled(name, enabled, all);
    }
  }
  Selection selection;
  for (std::size_t i = 0; i < enabled.size(); ++i) {
    if (collect.empty() ? !exclude.contains(enabled[i]) : collect.contains(enabled[i])) {
      selection.push_back(i);
    }
  }
  return selection;
}

}  // namespace inetdiag
