#include "exporter/cli/statsd_flags.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <stdexcept>

namespace inetdiag::statsd {
namespace {

// Every server accepts the minimum; the maximum is the largest UDP payload over IPv4.
constexpr std::size_t min_mtu = 256;
constexpr std::size_t max_mtu = 65507;
constexpr std::chrono::milliseconds min_interval(100);

std::string parse_prefix(std::string prefix) {
  if (prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-.") != std::string::npos) {
    throw std::invalid_argument("invalid value '" + prefix +
                                "', expected letters, digits, dots, _ and - only");
  }
  prefix.erase(prefix.find_last_not_of('.') + 1);
  return prefix;
}

}  // namespace

void add_flags(CLI::App& app, Options& options) {
  const std::string group = "StatsD";
  add_value(app,
            {.name = "--statsd.address",
             .value = "ADDRESS",
             .help = "Push metrics to this StatsD server: 127.0.0.1:8125 or unix:///path",
             .group = group},
            [&](const std::string& text) { options.address = parse_address(text); });
  add_duration(app,
               {.name = "--statsd.interval",
                .value = "TIME",
                .help = "Time between two pushes",
                .group = group},
               options.interval_seconds, min_interval);
  add_value(app,
            {.name = "--statsd.prefix",
             .value = "NAME",
             .help = "Prefix of every metric name, joined with a dot",
             .group = group},
            [&](const std::string& text) { options.style.prefix = parse_prefix(text); });
  add_choice(app,
             {.name = "--statsd.format",
              .value = "NAME",
              .help = "Labels as dogstatsd or influxdb tags; none: as parts of the metric name",
              .group = group},
             options.style.tags,
             std::map<std::string, TagFormat>{{"none", TagFormat::none},
                                              {"dogstatsd", TagFormat::dogstatsd},
                                              {"influxdb", TagFormat::influxdb}});
  add_number(app,
             {.name = "--statsd.mtu",
              .value = "BYTES",
              .help = "Maximum size of a datagram",
              .group = group},
             options.mtu, min_mtu, max_mtu);
}

}  // namespace inetdiag::statsd
