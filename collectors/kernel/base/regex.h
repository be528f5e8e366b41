#pragma once

#include <memory>
#include <string_view>

namespace re2 {
class RE2;
}

namespace inetdiag::kernel {

/// A regular expression in RE2 syntax. The time to match is linear in the length of the text, and
/// the memory is bounded, whatever the expression.
class Regex {
 public:
  /// Throws std::invalid_argument if `expression` is invalid, uses a feature that RE2 does not
  /// support, such as a backreference, or is too large.
  explicit Regex(std::string_view expression);

  /// Whether the expression matches `text` or a part of it.
  bool matches(std::string_view text) const;

 private:
  std::shared_ptr<const re2::RE2> regex_;  ///< shared by copies; thread-safe
};

}  // namespace inetdiag::kernel
