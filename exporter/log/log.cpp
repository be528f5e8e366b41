#include "exporter/log/log.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "exporter/exposition/json_writer.h"
#include "exporter/exposition/rfc3339.h"

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

bool is_bare(std::string_view text) {
  return !text.empty() && text.find_first_of(" =\"\\") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string json_line(const std::vector<Log::Field>& fields) {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  for (const auto& [name, value] : fields) {
    json.field(name, value);
  }
  json.end_object();
  return line;
}

/// Quotes values with JSON's escapes.
std::string logfmt_line(const std::vector<Log::Field>& fields) {
  std::string line;
  for (const auto& [name, value] : fields) {
    line.append(line.empty() ? "" : " ").append(name).append("=");
    if (is_bare(value)) {
      line.append(value);
    } else {
      append_json_string(line, value);
    }
  }
  return line;
}

/// Replaces what could control a terminal: names in messages can have any bytes.
std::string plain_line(Level level, std::string_view message, Log::Fields fields) {
  std::string line = "inetdiag_exporter: ";
  line.append(level == Level::warn ? "warning: " : "").append(message);
  std::string_view separator = " (";
  for (const auto& [name, value] : fields) {
    line.append(separator).append(name).append(" ").append(value);
    separator = ", ";
  }
  line.append(fields.size() == 0 ? "" : ")");
  std::ranges::replace_if(
      line, [](char c) { return c < ' ' || c > '~'; }, '?');
  return line;
}

std::string format_line(LogFormat format, Level level, std::string_view message,
                        Log::Fields fields) {
  if (format == LogFormat::plain) {
    return plain_line(level, message, fields);
  }
  std::vector<Log::Field> all = {
      {"ts", rfc3339_with_milliseconds(std::chrono::system_clock::now())},
      {"level", std::string(name_of(level))},
      {"msg", std::string(message)}};
  all.insert(all.end(), fields);
  return format == LogFormat::json ? json_line(all) : logfmt_line(all);
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
  } catch (...) {  // NOLINT(bugprone-empty-catch): a failure to log cannot be logged
  }
}

void Log::write(Level level, std::string_view message, Fields fields) const noexcept {
  if (!logger_->should_log(level)) {
    return;
  }
  try {
    logger_->log(level, format_line(format_, level, message, fields));
  } catch (...) {  // NOLINT(bugprone-empty-catch): a failure to log cannot be logged
  }
}

std::string lost_lines_message(LogFormat format, std::size_t lines) {
  return format_line(format, Level::warn, "log lines were lost",
                     {{"lines", std::to_string(lines)}});
}

}  // namespace inetdiag
