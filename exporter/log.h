#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/logger.h>

namespace inetdiag {

enum class LogFormat { logfmt, json };

/// Writes one line for each event to standard error: a time, a level, a message and named values,
/// as logfmt or JSON. May be used by several threads.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;
  using Fields = std::initializer_list<Field>;

  /// `sink` takes the finished lines.
  Log(spdlog::level::level_enum level, LogFormat format, spdlog::sink_ptr sink);

  void debug(std::string_view message, Fields fields = {}) const;
  void info(std::string_view message, Fields fields = {}) const;
  void warn(std::string_view message, Fields fields = {}) const;
  void error(std::string_view message, Fields fields = {}) const;

 private:
  void write(spdlog::level::level_enum level, std::string_view message, Fields fields) const;

  std::shared_ptr<spdlog::logger> logger_;
  LogFormat format_;
};

}  // namespace inetdiag
