#pragma once

#include <string>

#include <fmt/format.h>

#include "exporter/diagnosis/finding.h"

namespace inetdiag::diagnosis {

/// Colors text for a terminal, if it should be colored.
class Painter {
 public:
  explicit Painter(bool use_color) : use_color_(use_color) {}

  std::string severity(Severity severity, const std::string& text) const {
    switch (severity) {
      case Severity::critical:
        return paint("1;31", text);
      case Severity::warning:
        return paint("1;33", text);
      default:
        return paint("1;36", text);
    }
  }
  std::string heading(const std::string& text) const { return paint("1", text); }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return use_color_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  bool use_color_;
};

}  // namespace inetdiag::diagnosis
