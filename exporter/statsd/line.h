// The StatsD line protocol (https://github.com/statsd/statsd/blob/master/docs/metric_types.md),
// with labels as parts of the name, as tags of DogStatsD
// (https://docs.datadoghq.com/developers/dogstatsd/datagram_shell) or as tags of Telegraf
// (https://docs.influxdata.com/telegraf/v1/input-plugins/statsd).
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
  std::string prefix{};  ///< before every name, followed by a dot
  TagFormat tags = TagFormat::none;
};

using Labels = std::vector<prometheus::ClientMetric::Label>;

/// Returns the line of a gauge. StatsD and Telegraf interpret a signed value as a change, so a
/// negative gauge needs two lines: the first sets it to 0.
std::string format_gauge(const Style& style, std::string_view name, const Labels& labels,
                         double value);

/// Returns the line of a counter that has increased by `increase` since its last line.
std::string format_counter(const Style& style, std::string_view name, const Labels& labels,
                           double increase);

}  // namespace inetdiag::statsd
