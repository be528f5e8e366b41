#include "exporter/cli/sockets_flags.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netlink/tcp_states.h"

namespace inetdiag {
namespace {

constexpr std::uint64_t max_top_count = 1000;

std::vector<std::string> state_names() {
  std::vector<std::string> names;
  names.reserve(kernel::tcp_states.size());
  for (const auto& [state, name] : kernel::tcp_states) {
    names.emplace_back(name);
  }
  return names;
}

/// Accepts the spellings of ss(8) too: `close-wait`, `CLOSE-WAIT`, `ESTAB`, `listening`,
/// `fin-wait-1`.
std::uint32_t parse_state(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  const std::map<std::string_view, std::string_view> spellings = {
      {"estab", "established"}, {"fin_wait_1", "fin_wait1"}, {"fin_wait_2", "fin_wait2"},
      {"unconn", "close"},      {"closed", "close"},         {"listening", "listen"}};
  if (const auto spelling = spellings.find(name); spelling != spellings.end()) {
    name = spelling->second;
  }
  for (const auto& [state, known] : kernel::tcp_states) {
    if (name == known) {
      return mask(state);
    }
  }
  throw std::invalid_argument(
      fmt::format("invalid value '{}', expected one of {}", text, fmt::join(state_names(), ", ")));
}

/// Parses `443` or `1000-2000`.
kernel::PortRange parse_ports(std::string_view text) {
  std::string_view rest = text;
  const auto first = kernel::to_number<std::uint16_t>(kernel::cut(rest, '-'));
  const bool is_range = text.find('-') != std::string_view::npos;
  const auto last = is_range ? kernel::to_number<std::uint16_t>(rest) : first;
  if (!first || !last || *first > *last) {
    throw std::invalid_argument(
        fmt::format("'{}' is not a port or a range of ports; write 443 or 1000-2000", text));
  }
  return {*first, *last};
}

/// Calls `store` for each element of a list that is separated by commas.
template <typename Store>
void for_each_element(std::string_view list, Store store) {
  do {
    store(kernel::cut(list, ','));
  } while (!list.empty());
}

auto parse_peer(const std::string& text) {
  const auto prefix = kernel::parse_address_prefix(text);
  if (!prefix) {
    throw std::invalid_argument("'" + text +
                                "' is not an address or network; write 10.0.0.0/8 or ::1");
  }
  return *prefix;
}

}  // namespace

void add_sockets_flags(CLI::App& command, SocketsFlags& flags) {
  kernel::InetFilter& filter = flags.options.filter;
  add_values(command,
             {.name = "--state",
              .value = "STATE",
              .help = "Only sockets in these states, repeatable: established,time_wait; also as ss "
                      "writes them: ESTAB, TIME-WAIT",
              .choices = state_names()},
             [&flags](const std::string& text) {
               for_each_element(text, [&](auto state) { flags.states |= parse_state(state); });
             });
  add_values(command,
             {.name = "--port",
              .value = "PORT",
              .help = "Only sockets with one of these local or peer ports, repeatable: "
                      "443,8443,1000-2000"},
             [&filter](const std::string& text) {
               for_each_element(text,
                                [&](auto ports) { filter.ports.push_back(parse_ports(ports)); });
             });
  add_values(command,
             {.name = "--peer",
              .value = "CIDR",
              .help = "Only sockets with a peer in this network, repeatable: 10.0.0.0/8, ::1"},
             [&filter](const std::string& text) { filter.peers.push_back(parse_peer(text)); });
  add_switch(command,
             {.name = "--waiting",
              .help = "Only connections that wait for accept(): those in an accept queue"},
             flags.options.waiting);
  add_switch(
      command,
      {.name = "--info",
       .help = "Also print the timer, retransmissions, round-trip time and congestion window"},
      flags.options.info);
  add_choice(command, {.name = "--family", .value = "NAME", .help = "4 or 6"}, filter.family,
             std::map<std::string, std::uint8_t>{{"4", AF_INET}, {"6", AF_INET6}});
  add_text(command,
           {.name = "--netns",
            .value = "NAME",
            .help = "Sockets of the network namespace pinned under this name in --path.netns; "
                    "needs CAP_SYS_ADMIN"},
           flags.options.netns);
  add_choice(command,
             {.name = "--format",
              .value = "NAME",
              .help = "table, or json: one object per line, a single one with --top",
              .default_value = "table"},
             flags.format,
             std::map<std::string, SocketsFormat>{{"table", SocketsFormat::table},
                                                  {"json", SocketsFormat::json}});
  add_switch(command,
             {.name = "--summary", .help = "Print only the number of sockets by state, as JSON"},
             flags.options.summary);
  add_choice(
      command,
      {.name = "--top",
       .value = "NAME",
       .help = "Print only who holds most sockets: peer (addresses), network (/24 of IPv4, /64 of "
               "IPv6), or destination (outgoing connections, which share the ephemeral ports)"},
      flags.options.top,
      std::map<std::string, TopOf>{
          {"peer", TopOf::peer}, {"network", TopOf::network}, {"destination", TopOf::destination}});
  add_value(command,
            {.name = "--top-count",
             .value = "N",
             .help = "Number of lines that --top prints",
             .default_value = std::to_string(flags.options.top_count)},
            [&flags](const std::string& text) {
              flags.top_count = kernel::parse_whole_number(text, 1, max_top_count);
            });
}

SocketsOptions sockets_options(const SocketsFlags& flags) {
  SocketsOptions options = flags.options;
  if (options.top && options.summary) {
    throw std::invalid_argument(
        "--top: prints who holds most sockets, --summary their number by state; omit one of them");
  }
  if (flags.top_count && !options.top) {
    throw std::invalid_argument("--top-count: only applies with --top");
  }
  if (options.top && flags.states == mask(kernel::TcpState::listen)) {
    throw std::invalid_argument("--state=listen: a listener has no peer; omit it or --top");
  }
  const bool selects = options.waiting || flags.states != 0 || !options.filter.ports.empty() ||
                       options.filter.family != 0;
  if (options.top == TopOf::destination && selects) {
    throw std::invalid_argument(
        "--top=destination: counts all connections, because they share the ports; omit --state, "
        "--port, --family and --waiting");
  }
  if (options.waiting && (flags.states & ~kernel::waiting_states) != 0) {
    throw std::invalid_argument(
        "--waiting: connections that wait for accept() are established or close_wait; omit other "
        "values of --state");
  }
  if (options.info && (options.summary || options.top)) {
    throw std::invalid_argument(
        "--info: only applies to the list of sockets; omit --summary, --top");
  }
  if (options.summary && flags.format == SocketsFormat::table) {
    throw std::invalid_argument("--format=table: --summary prints JSON; omit one of them");
  }
  options.top_count = flags.top_count.value_or(options.top_count);
  options.format = flags.format.value_or(SocketsFormat::table);
  if (flags.states != 0) {
    options.filter.states = flags.states;
  } else if (options.waiting) {
    options.filter.states = kernel::waiting_states;
  }
  return options;
}

}  // namespace inetdiag
