#include "exporter/cli/statsd_flags.h"

#include <cstddef>
#include <map>
#include <stdexcept>

namespace inetdiag::statsd {
namespace {

// From what every listener takes to what UDP can hold.
constexpr std::size_t least_mtu = 256;
constexpr std::size_t largest_mtu = 65507;
constexpr double shortest_interval = 0.1;

const std::map<std::string, TagFormat>& tag_styles() {
  static const std::map<std::string, TagFormat> styles = {{"none", TagFormat::none},
                                                          {"dogstatsd", TagFormat::dogstatsd},
                                                          {"influxdb", TagFormat::influxdb}};
  return styles;
}

std::string checked_prefix(std::string prefix) {
  if (prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-.") != std::string::npos) {
    throw std::invalid_argument("--statsd.prefix: '" + prefix +
                                "' may hold letters, digits, dots, _ and -");
  }
  prefix.erase(prefix.find_last_not_of('.') + 1);
  return prefix;
}

}  // namespace

void add_flags(CLI::App& app, Flags& flags) {
  const std::string group = "StatsD";
  add_text(app,
           {.name = "--statsd.address",
            .value = "ADDRESS",
            .help = "Push to this StatsD listener: 127.0.0.1:8125, unix:///path",
            .group = group},
           flags.address);
  add_time(app,
           {.name = "--statsd.interval",
            .value = "TIME",
            .help = "Time between two pushes",
            .group = group,
            .fallback = "10s"},
           flags.options.interval_seconds, shortest_interval);
  add_text(app,
           {.name = "--statsd.prefix",
            .value = "NAME",
            .help = "Stands before every name, with a dot behind it",
            .group = group},
           flags.options.style.prefix);
  add_choice(app,
             {.name = "--statsd.format",
              .value = "NAME",
              .help = "Labels as tags: dogstatsd or influxdb; none: as parts of the name",
              .group = group},
             flags.tags, keys_of(tag_styles()));
  add_number(app,
             {.name = "--statsd.mtu",
              .value = "BYTES",
              .help = "Most bytes of a datagram",
              .group = group},
             flags.options.mtu, least_mtu, largest_mtu);
}

Options options_of(const Flags& flags) {
  Options options = flags.options;
  options.style.tags = tag_styles().at(flags.tags);
  options.style.prefix = checked_prefix(options.style.prefix);
  if (!flags.address.empty()) {
    try {
      options.address = parse_address(flags.address);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string("--statsd.address: ") + error.what());
    }
  }
  return options;
}

}  // namespace inetdiag::statsd
