#include "exporter/exposition/json.h"

#include <cmath>
#include <cstdint>
#include <ctime>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "exporter/build_info.h"

namespace inetdiag {
namespace {

using Json = nlohmann::ordered_json;

constexpr int schema_version = 1;

/// Integers without a fraction. JSON has no number for what is not finite.
Json number(double value) {
  constexpr double largest_exact = 9007199254740992.0;
  if (!std::isfinite(value)) {
    return nullptr;
  }
  return value == std::trunc(value) && std::abs(value) <= largest_exact
             ? Json(static_cast<std::int64_t>(value))
             : Json(value);
}

Json json_of(const prometheus::MetricFamily& family) {
  const bool is_counter = family.type == prometheus::MetricType::Counter;
  Json series = Json::array();
  for (const auto& metric : family.metric) {
    Json labels = Json::object();
    for (const auto& label : metric.label) {
      labels[label.name] = label.value;
    }
    series.push_back({{"labels", std::move(labels)},
                      {"value", number(is_counter ? metric.counter.value : metric.gauge.value)}});
  }
  return {{"name", family.name},
          {"type", is_counter ? "counter" : "gauge"},
          {"help", family.help},
          {"series", std::move(series)}};
}

}  // namespace

std::string page_json(const Exposition& page) {
  Json families = Json::array();
  for (const auto& family : page.families()) {
    families.push_back(json_of(family));
  }
  const Json document = {
      {"schema_version", schema_version},
      {"exporter_version", build_info::version},
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
      {"families", std::move(families)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace inetdiag
