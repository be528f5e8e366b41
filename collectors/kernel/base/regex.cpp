#include "collectors/kernel/base/regex.h"

#include <cstdint>
#include <stdexcept>
#include <string>

#include <re2/re2.h>

namespace inetdiag::kernel {
namespace {

// RE2's default is 8 MiB; an expression over names of counters or namespaces needs far less.
constexpr std::int64_t max_bytes = 1 << 20;

}  // namespace

Regex::Regex(std::string_view expression) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_bytes);
  const auto regex = std::make_shared<const RE2>(std::string(expression), options);
  if (!regex->ok()) {
    throw std::invalid_argument("'" + std::string(expression) +
                                "' is not a regular expression that RE2 supports: " +
                                regex->error() + "; see https://github.com/google/re2/wiki/Syntax");
  }
  regex_ = regex;
}

bool Regex::matches(std::string_view text) const {
  // Since version 10 RE2 takes absl::string_view, which is another type in Debian 13.
  return RE2::PartialMatch({text.data(), text.size()}, *regex_);
}

}  // namespace inetdiag::kernel
