#include "exporter/sockets_flags.h"

#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <sys/socket.h>

#include "collectors/kernel/tcp_states.h"
#include "exporter/flags.h"

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

CLI::App* add_sockets_command(CLI::App& app, SocketsFlags& flags) {
  CLI::App* sockets = app.add_subcommand(
      "sockets",
      "List TCP sockets as the kernel tells of them; what the flags leave out, it does "
      "not tell");
  add_repeatable(*sockets, "--state", flags.states,
                 "Only this state, repeatable: established, time_wait, listen...")
      ->type_name("STATE")
      ->check(key_of(masks_of_states()));
  add_repeatable(*sockets, "--port", flags.options.filter.ports,
                 "Only with this local or peer's port, repeatable")
      ->type_name("PORT")
      ->transform(whole_number(0, std::numeric_limits<std::uint16_t>::max()));
  add_repeatable(*sockets, "--peer", flags.peers,
                 "Only with a peer in this network, repeatable: 10.0.0.0/8, ::1")
      ->type_name("CIDR");
  sockets->add_option("--family", flags.family, "4 or 6")
      ->type_name("NAME")
      ->check(one_of({"4", "6"}));
  sockets
      ->add_option("--netns", flags.options.netns,
                   "In the network namespace of this name below --path.netns; needs CAP_SYS_ADMIN")
      ->type_name("NAME");
  add_choice(*sockets, "--format", flags.format, "table, or json: an object on each line",
             formats())
      ->default_str("table");
  sockets->add_flag("--summary", flags.options.summary,
                    "How many are in each state, as one JSON object, instead");
  return sockets;
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
    const auto block = kernel::parse_address_block(peer);
    if (!block) {
      throw std::invalid_argument("--peer: '" + peer +
                                  "' is no address or network; write it as 10.0.0.0/8 or ::1");
    }
    filter.peers.push_back(*block);
  }
  return options;
}

}  // namespace inetdiag
