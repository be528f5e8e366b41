#include "exporter/statsd/flags.h"

#include <cstddef>
#include <map>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "exporter/flags.h"

namespace inetdiag::statsd {
namespace {

// From what every listener takes to what UDP can hold.
constexpr std::size_t least_mtu = 256;
constexpr std::size_t largest_mtu = 65507;
constexpr double shortest_interval = 0.1;

constexpr const char* group = "StatsD";

const std::map<std::string, Tags>& tag_styles() {
  static const std::map<std::string, Tags> styles = {
      {"none", Tags::none}, {"dogstatsd", Tags::dogstatsd}, {"influxdb", Tags::influxdb}};
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
  app.add_option("--statsd.address", flags.address,
                 "Push to this StatsD listener: 127.0.0.1:8125, unix:///path")
      ->type_name("ADDRESS")
      ->group(group);
  add_time(app, "--statsd.interval", flags.options.interval_seconds, "Time between two pushes",
           shortest_interval)
      ->default_str("10s")
      ->group(group);
  app.add_option("--statsd.prefix", flags.options.style.prefix,
                 "Stands before every name, with a dot behind it")
      ->type_name("NAME")
      ->group(group);
  add_choice(app, "--statsd.tags", flags.tags,
             "Labels as tags: dogstatsd or influxdb; none: as parts of the name", tag_styles())
      ->group(group);
  add_number(app, "--statsd.mtu", flags.options.mtu, "Most bytes of a datagram", least_mtu,
             largest_mtu)
      ->type_name("BYTES")
      ->group(group);
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
