// The text of StatsD (https://github.com/statsd/statsd/blob/master/docs/metric_types.md), with
// labels as parts of the name, or as tags in the ways of
// https://docs.datadoghq.com/developers/dogstatsd/datagram_shell and of Telegraf's input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/client_metric.h>

namespace inetdiag::statsd {

enum class TagFormat {
  none,       ///< `name.label.value:1|g`
  dogstatsd,  ///< `name:1|g|#label:value`
  influxdb,   ///< `name,label=value:1|g`
};

struct Style {
  std::string prefix{};  ///< before every name, and a dot behind it
  TagFormat tags = TagFormat::none;
};

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// To plain StatsD and Telegraf a gauge with a sign is a change of it, so that a negative one is
/// two lines: it becomes 0 first.
std::string gauge(const Style& style, std::string_view name, const Labels& labels, double value);

/// `increase` is what was added since it was last told.
std::string counter(const Style& style, std::string_view name, const Labels& labels,
                    double increase);

}  // namespace inetdiag::statsd
