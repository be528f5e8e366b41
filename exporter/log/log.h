#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/logger.h>

namespace inetdiag {

enum class LogFormat { logfmt, json };

/// Writes one line for each event: a time, a level, a message and named values, as logfmt or JSON.
/// May be used by several threads. A line for which there is no memory is lost.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;
  using Fields = std::initializer_list<Field>;

  /// `sink` takes the finished lines.
  Log(spdlog::level::level_enum level, LogFormat format, spdlog::sink_ptr sink);

  void debug(std::string_view message, Fields fields = {}) const noexcept;
  void info(std::string_view message, Fields fields = {}) const noexcept;
  void warn(std::string_view message, Fields fields = {}) const noexcept;
  void error(std::string_view message, Fields fields = {}) const noexcept;

  /// Lets the sink write what it holds back.
  void flush() const noexcept;

 private:
  void write(spdlog::level::level_enum level, std::string_view message,
             Fields fields) const noexcept;

  std::shared_ptr<spdlog::logger> logger_;
  LogFormat format_;
};

/// The line that tells how many others never reached their reader.
std::string lost_lines_message(LogFormat format, std::size_t lines);

}  // namespace inetdiag
