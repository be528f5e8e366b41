#include "exporter/log/log.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/chrono.h>

namespace inetdiag {
namespace {

using Level = spdlog::level::level_enum;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::warn:
      return "warn";
    case Level::err:
      return "error";
    default:
      return "info";
  }
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(seconds.count()), milliseconds);
}

/// JSON's escapes serve logfmt's quoted values too. Bytes that are not UTF-8 are replaced.
std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_bare(std::string_view text) {
  return !text.empty() && text.find_first_of(" =\"\\") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string line_of(LogFormat format, Level level, std::string_view message, Log::Fields fields) {
  std::vector<Log::Field> all = {
      {"ts", timestamp()}, {"level", std::string(name_of(level))}, {"msg", std::string(message)}};
  all.insert(all.end(), fields);
  std::string line;
  for (const auto& [name, value] : all) {
    if (format == LogFormat::json) {
      line.append(line.empty() ? "{" : ",")
          .append(json_string(name))
          .append(":")
          .append(json_string(value));
    } else {
      line.append(line.empty() ? "" : " ").append(name).append("=");
      line.append(is_bare(value) ? value : json_string(value));
    }
  }
  return line.append(format == LogFormat::json ? "}" : "");
}

}  // namespace

Log::Log(Level level, LogFormat format, spdlog::sink_ptr sink)
    : logger_(std::make_shared<spdlog::logger>("log", std::move(sink))), format_(format) {
  logger_->set_pattern("%v");
  logger_->set_level(level);
  logger_->set_error_handler([](const std::string& /*error*/) {});
}

void Log::debug(std::string_view message, Fields fields) const noexcept {
  write(Level::debug, message, fields);
}
void Log::info(std::string_view message, Fields fields) const noexcept {
  write(Level::info, message, fields);
}
void Log::warn(std::string_view message, Fields fields) const noexcept {
  write(Level::warn, message, fields);
}
void Log::error(std::string_view message, Fields fields) const noexcept {
  write(Level::err, message, fields);
}

void Log::flush() const noexcept {
  try {
    logger_->flush();
  } catch (...) {  // NOLINT(bugprone-empty-catch): what cannot be logged cannot be told either
  }
}

void Log::write(Level level, std::string_view message, Fields fields) const noexcept {
  if (!logger_->should_log(level)) {
    return;
  }
  try {
    logger_->log(level, line_of(format_, level, message, fields));
  } catch (...) {  // NOLINT(bugprone-empty-catch): what cannot be logged cannot be told either
  }
}

std::string lost_lines_message(LogFormat format, std::size_t lines) {
  return line_of(format, Level::warn, "log lines were lost", {{"lines", std::to_string(lines)}});
}

}  // namespace inetdiag
