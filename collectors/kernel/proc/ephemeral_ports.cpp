#include "collectors/kernel/proc/ephemeral_ports.h"

#include <cstdint>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

struct PortRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

std::optional<PortRange> port_range(std::string_view first, std::string_view last) {
  const auto from = to_number<std::uint16_t>(first);
  const auto to = to_number<std::uint16_t>(last);
  if (!from || !to || *from > *to) {
    return std::nullopt;
  }
  return PortRange{.first = *from, .last = *to};
}

PortSet ports_of(PortRange range) {
  PortSet all;
  all.set();
  const PortSet not_below = all << range.first;
  return not_below & (all >> (port_numbers - 1 - range.last));
}

}  // namespace

std::optional<PortSet> parse_ephemeral_ports(std::string_view range, std::string_view reserved) {
  const std::string_view first = next_word(range);
  const std::string_view last = next_word(range);
  const auto all = port_range(first, last);
  if (!all || !trimmed(range).empty()) {
    return std::nullopt;
  }
  PortSet ports = ports_of(*all);
  for (std::string_view rest = trimmed(reserved); !rest.empty();) {
    std::string_view entry = cut(rest, ',');
    const bool is_range = entry.find('-') != std::string_view::npos;
    const std::string_view begin = cut(entry, '-');
    const auto excluded = port_range(begin, is_range ? entry : begin);
    if (!excluded) {
      return std::nullopt;
    }
    ports &= ~ports_of(*excluded);
  }
  return ports;
}

std::optional<EphemeralPorts> read_ephemeral_ports(CachedFiles& proc) {
  const auto range = proc.read("sys/net/ipv4/ip_local_port_range");
  const auto reserved = proc.read("sys/net/ipv4/ip_local_reserved_ports");
  const auto ports = parse_ephemeral_ports(range.value_or(""), reserved.value_or(""));
  if (!ports) {
    return std::nullopt;
  }
  const auto reuse = proc.read("sys/net/ipv4/tcp_tw_reuse");
  const auto timestamps = proc.read("sys/net/ipv4/tcp_timestamps");
  const bool has_timestamps = trimmed(timestamps.value_or("1")) != "0";
  const std::string_view mode = has_timestamps ? trimmed(reuse.value_or("")) : "";
  return EphemeralPorts{.ports = *ports,
                        .reuse = mode == "1"   ? TimeWaitReuse::on
                                 : mode == "2" ? TimeWaitReuse::loopback
                                               : TimeWaitReuse::off};
}

}  // namespace inetdiag::kernel
