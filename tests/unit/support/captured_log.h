#pragma once

#include <memory>
#include <sstream>
#include <string>

#include <spdlog/sinks/ostream_sink.h>

#include "exporter/log/log.h"

namespace inetdiag::testing {

/// A log that a test can read.
class CapturedLog {
 public:
  explicit CapturedLog(LogFormat format = LogFormat::logfmt,
                       spdlog::level::level_enum level = spdlog::level::debug)
      : log(level, format, std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_)) {}

  std::string text() const { return lines_.str(); }
  int count(const std::string& part) const {
    const std::string all = text();
    int found = 0;
    for (std::size_t at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) {
      ++found;
    }
    return found;
  }

 private:
  std::ostringstream lines_;

 public:
  const Log log;
};

}  // namespace inetdiag::testing
