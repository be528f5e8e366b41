#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/logger.h>

namespace inetdiag {

enum class LogFormat {
  logfmt,
  json,
  plain,  ///< messages of a command, for a reader: `inetdiag_exporter: warning: TEXT (NAME VALUE)`
};

/// Writes one line per event: time, level, message and fields. Thread-safe.
/// Drops a line if memory is exhausted.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;
  using Fields = std::initializer_list<Field>;

  /// `sink` receives complete lines without the newline.
  Log(spdlog::level::level_enum level, LogFormat format, spdlog::sink_ptr sink);

  void debug(std::string_view message, Fields fields = {}) const noexcept;
  void info(std::string_view message, Fields fields = {}) const noexcept;
  void warn(std::string_view message, Fields fields = {}) const noexcept;
  void error(std::string_view message, Fields fields = {}) const noexcept;

  /// Waits until the sink has written its queue, with its timeout.
  void flush() const noexcept;

 private:
  void write(spdlog::level::level_enum level, std::string_view message,
             Fields fields) const noexcept;

  std::shared_ptr<spdlog::logger> logger_;
  LogFormat format_;
};

/// Returns the line that reports the number of lost lines.
std::string lost_lines_message(LogFormat format, std::size_t lines);

}  // namespace inetdiag
