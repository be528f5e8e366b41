#include "exporter/http/accept_encoding.h"

#include <algorithm>
#include <optional>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Whether the parameters have a weight of 0: `;q=0`, `; q=0.000`.
bool has_zero_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = kernel::trimmed(kernel::cut(parameters, ';'));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
    }
  }
  return false;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> by_name;
  bool by_wildcard = false;
  while (!accept_encoding.empty()) {
    std::string_view parameters = kernel::cut(accept_encoding, ',');
    const std::string_view coding = kernel::trimmed(kernel::cut(parameters, ';'));
    const bool is_accepted = !has_zero_weight(parameters);
    if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) {
      by_name = is_accepted;
    } else if (coding == "*") {
      by_wildcard = is_accepted;
    }
  }
  return by_name.value_or(by_wildcard);
}

}  // namespace inetdiag
