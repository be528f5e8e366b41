#include "exporter/commands/destination_table.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace inetdiag {
namespace {

using kernel::DestinationPorts;
using kernel::DestinationsInUse;

std::span<const DestinationPorts> fullest(const DestinationsInUse& in_use, std::size_t count) {
  return std::span(in_use.fullest).first(std::min(count, in_use.fullest.size()));
}

}  // namespace

std::string destination_table(const DestinationsInUse& in_use, std::size_t count) {
  constexpr double percent = 100;
  std::string text = fmt::format("{:<10}{:<10}{:>6}  {:<24}{}\n", "AT MOST", "AT LEAST", "FILL",
                                 "SOURCE", "DESTINATION");
  for (const DestinationPorts& ports : fullest(in_use, count)) {
    text += fmt::format("{:<9} {:<9} {:>5.1f}%  {:<23} {}\n", ports.at_most, ports.at_least,
                        percent * in_use.fill(ports.at_least), ports.destination.source.text(),
                        ports.destination.text());
  }
  text += fmt::format("{} usable ports (net.ipv4.ip_local_port_range)", in_use.usable_ports);
  return text + (in_use.is_exact ? "\n" : "; more destinations than counters\n");
}

void write_destinations(JsonWriter& json, const DestinationsInUse& in_use, std::size_t count) {
  json.field("usable_ports", in_use.usable_ports);
  json.field("exact", in_use.is_exact);
  json.key("destinations").begin_array();
  for (const DestinationPorts& ports : fullest(in_use, count)) {
    json.begin_object();
    json.field("source", ports.destination.source.text());
    json.field("destination", ports.destination.text());
    json.field("at_most", ports.at_most);
    json.field("at_least", ports.at_least);
    json.end_object();
  }
  json.end_array();
}

}  // namespace inetdiag
