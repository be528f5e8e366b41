#include "exporter/exposition/rfc3339.h"

#include <fmt/chrono.h>

namespace inetdiag {
namespace {

std::string date_and_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  return fmt::format("{:%FT%T}", fmt::gmtime(seconds.count()));
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
  return date_and_time(time) + "Z";
}

std::string rfc3339_with_milliseconds(std::chrono::system_clock::time_point time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto milliseconds = since_epoch - std::chrono::floor<std::chrono::seconds>(since_epoch);
  return fmt::format("{}.{:03}Z", date_and_time(time), milliseconds.count());
}

}  // namespace inetdiag
