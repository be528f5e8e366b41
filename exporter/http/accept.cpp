#include "exporter/http/accept.h"

#include <algorithm>
#include <optional>
#include <string>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Removes the text up to and including the first `separator` outside of a quoted string from
/// `rest`. Returns it trimmed and without the separator.
std::string_view cut_unquoted(std::string_view& rest, char separator) {
  std::size_t at = 0;
  for (bool is_quoted = false; at < rest.size() && (is_quoted || rest[at] != separator); ++at) {
    if (rest[at] == '"') {
      is_quoted = !is_quoted;
    } else if (is_quoted && rest[at] == '\\') {
      ++at;
    }
  }
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(std::min(rest.size(), at + 1));
  return kernel::trimmed(head);
}

std::string_view unquoted(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

/// An element of a weighted list: `name;version=1.0.0;q=0.5`.
struct WeightedItem {
  std::string_view name;
  std::string_view version{};  ///< empty if absent
  double weight = 1;           ///< 0 for not acceptable, also if it is invalid
};

/// Removes the first element from the list and returns it.
WeightedItem cut_item(std::string_view& list) {
  std::string_view parameters = cut_unquoted(list, ',');
  WeightedItem item{.name = cut_unquoted(parameters, ';')};
  while (!parameters.empty()) {
    std::string_view value = cut_unquoted(parameters, ';');
    const std::string_view name = kernel::cut(value, '=');
    if (equals_ignoring_case(name, "q")) {
      const double weight = kernel::to_number<double>(value).value_or(0);
      item.weight = weight >= 0 && weight <= 1 ? weight : 0;
    } else if (equals_ignoring_case(name, "version")) {
      item.version = unquoted(value);
    }
  }
  return item;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> by_name;
  bool by_wildcard = false;
  while (!accept_encoding.empty()) {
    const WeightedItem item = cut_item(accept_encoding);
    if (equals_ignoring_case(item.name, "gzip") || equals_ignoring_case(item.name, "x-gzip")) {
      by_name = item.weight > 0;
    } else if (item.name == "*") {
      by_wildcard = item.weight > 0;
    }
  }
  return by_name.value_or(by_wildcard);
}

bool prefers_openmetrics(std::string_view accept) {
  double openmetrics = 0;
  std::optional<double> text;
  double wildcard = 0;
  while (!accept.empty()) {
    const WeightedItem item = cut_item(accept);
    const auto accepts = [&](std::string_view type, std::string_view version) {
      return equals_ignoring_case(item.name, type) &&
             (item.version.empty() || item.version == version);
    };
    if (accepts("application/openmetrics-text", "1.0.0")) {
      openmetrics = std::max(openmetrics, item.weight);
    } else if (accepts("text/plain", "0.0.4")) {
      text = std::max(text.value_or(0), item.weight);
    } else if (item.name == "*/*" || equals_ignoring_case(item.name, "text/*")) {
      wildcard = std::max(wildcard, item.weight);
    }
  }
  return openmetrics > text.value_or(wildcard);
}

}  // namespace inetdiag
