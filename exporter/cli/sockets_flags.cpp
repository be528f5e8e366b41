#include "exporter/cli/sockets_flags.h"

#include <cstdint>
#include <map>
#include <stdexcept>

#include <sys/socket.h>

#include "collectors/kernel/netlink/tcp_states.h"

namespace inetdiag {
namespace {

std::map<std::string, std::uint32_t> masks_of_states() {
  std::map<std::string, std::uint32_t> masks;
  for (const auto& [state, name] : kernel::tcp_states) {
    masks[std::string(name)] = mask(state);
  }
  return masks;
}

const std::map<std::string, SocketsFormat>& formats() {
  static const std::map<std::string, SocketsFormat> all = {{"table", SocketsFormat::table},
                                                           {"json", SocketsFormat::json}};
  return all;
}

}  // namespace

void add_sockets_flags(CLI::App& command, SocketsFlags& flags) {
  add_choices(command,
              {.name = "--state",
               .value = "STATE",
               .help = "Only this state, repeatable: established, time_wait, listen..."},
              flags.states, keys_of(masks_of_states()));
  add_ports(command,
            {.name = "--port",
             .value = "PORT",
             .help = "Only with this local or peer's port, repeatable"},
            flags.options.filter.ports);
  add_texts(command,
            {.name = "--peer",
             .value = "CIDR",
             .help = "Only with a peer in this network, repeatable: 10.0.0.0/8, ::1"},
            flags.peers);
  add_choice(command, {.name = "--family", .value = "NAME", .help = "4 or 6"}, flags.family,
             {"4", "6"});
  add_text(command,
           {.name = "--netns",
            .value = "NAME",
            .help = "In the network namespace of this name below --path.netns; needs "
                    "CAP_SYS_ADMIN"},
           flags.options.netns);
  add_choice(command,
             {.name = "--format",
              .value = "NAME",
              .help = "table, or json: an object on each line",
              .fallback = "table"},
             flags.format, keys_of(formats()));
  add_switch(
      command,
      {.name = "--summary", .help = "How many are in each state, as one JSON object, instead"},
      flags.options.summary);
}

SocketsOptions sockets_options(const SocketsFlags& flags) {
  SocketsOptions options = flags.options;
  if (flags.options.summary && flags.format == "table") {
    throw std::invalid_argument("--format=table: --summary is JSON; leave one of them out");
  }
  options.format = flags.format.empty() ? SocketsFormat::table : formats().at(flags.format);
  kernel::InetFilter& filter = options.filter;
  if (!flags.family.empty()) {
    filter.family = flags.family == "4" ? AF_INET : AF_INET6;
  }
  if (!flags.states.empty()) {
    filter.states = 0;
    for (const std::string& state : flags.states) {
      filter.states |= masks_of_states().at(state);
    }
  }
  for (const std::string& peer : flags.peers) {
    const auto block = kernel::parse_address_prefix(peer);
    if (!block) {
      throw std::invalid_argument("--peer: '" + peer +
                                  "' is no address or network; write it as 10.0.0.0/8 or ::1");
    }
    filter.peers.push_back(*block);
  }
  return options;
}

}  // namespace inetdiag
