// Paths in the shell commands of actions.
#pragma once

#include <string_view>

namespace inetdiag::diagnosis {

/// Returns whether the path needs no quotes in a shell and cannot be taken for an option.
constexpr bool is_shell_safe(std::string_view path) {
  constexpr std::string_view safe =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-/";
  return path.find_first_not_of(safe) == std::string_view::npos && !path.starts_with('-');
}

}  // namespace inetdiag::diagnosis
