#include "collectors/registry.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

#include "collectors/conntrack.h"
#include "collectors/files.h"
#include "collectors/fragments.h"
#include "collectors/listeners.h"
#include "collectors/neighbours.h"
#include "collectors/netlink.h"
#include "collectors/nstat.h"
#include "collectors/owners.h"
#include "collectors/packet.h"
#include "collectors/ports.h"
#include "collectors/qdisc.h"
#include "collectors/raw.h"
#include "collectors/route_cache.h"
#include "collectors/sockstat.h"
#include "collectors/softnet.h"
#include "collectors/sysctl.h"
#include "collectors/tcp.h"
#include "collectors/udp.h"
#include "collectors/unix.h"

namespace inetdiag {
namespace {

using enum NetnsMode;

// clang-format off
constexpr auto table = std::to_array<CollectorEntry>({
    {"nstat", "counters of the network stack: drops, overflows, SYN cookies, retransmissions", true, nstat_settings, make_nstat, stateless},
    {"sysctl", "limits of the network stack", true, sysctl_settings, make_sysctl, stateless},
    {"sockstat", "orphans, timewait sockets and memory of TCP and UDP", true, {}, make_sockstat, stateless},
    {"softnet", "packets processed and dropped by each CPU", true, {}, make_softnet},
    {"conntrack", "size and drops of the connection tracking table", true, {}, make_conntrack},
    {"neighbours", "size and overflows of the neighbour tables (ARP, NDISC)", true, {}, make_neighbours},
    {"files", "open files of the host and their limit", true, {}, make_files},
    {"fragments", "memory of IP fragments that wait for reassembly", true, {}, make_fragments, stateless},
    {"route_cache", "IPv6 route cache and its limit, before Linux 6.3", true, {}, make_route_cache, stateless},
    {"qdisc", "queueing disciplines of network devices: queue, drops, overlimits", true, qdisc_settings, make_qdisc, stateless},
    {"netlink", "receive queues and lost messages of netlink sockets", true, {}, make_netlink},
    {"raw", "receive queues and drops of raw sockets", true, {}, make_raw, stateful},
    {"packet", "receive queues and drops of packet sockets", true, {}, make_packet, stateful},
    {"unix", "accept queues of listening UNIX sockets, unread datagrams", true, unix_settings, make_unix, stateless},
    {"udp", "receive queues, limits and drops of bound UDP sockets", true, udp_settings, make_udp, stateful},
    {"tcp", "TCP sockets by state and by listening port", true, tcp_settings, make_tcp, stateless},
    {"ports", "ephemeral ports in use by outgoing TCP connections, of the dump of collector tcp", true, ports_settings, make_ports},
    {"listeners", "queues, limits, drops and owners of TCP listeners", true, listeners_settings, make_listeners, stateful},
    {"owners", "processes and cgroup limits of TCP listeners whose connections wait", true, {}, make_owners, stateful},
});
// clang-format on

void add_values(Settings& settings, std::string_view name, const SettingValues& chosen,
                std::string_view default_value) {
  const auto values = chosen.find(name);
  if (values != chosen.end() && !values->second.empty()) {
    for (const std::string& value : values->second) {
      settings.add(name, value);
    }
  } else if (!default_value.empty()) {
    settings.add(name, std::string(default_value));
  }
}

Settings own_settings(const CollectorEntry& entry, const CollectorChoice& choice) {
  Settings settings;
  for (const SettingSpec& spec : entry.settings) {
    add_values(settings, spec.name, choice.settings, spec.default_value);
  }
  return settings;
}

Settings netns_settings(const CollectorEntry& entry, const CollectorChoice& choice) {
  Settings settings;
  for (const SettingSpec& spec : entry.settings) {
    if (spec.netns_default) {
      add_values(settings, spec.name, choice.netns_settings, spec.netns_default->value);
    } else {
      add_values(settings, spec.name, choice.settings, spec.default_value);
    }
  }
  return settings;
}

NamespacedCollector make_namespaced(const CollectorEntry& entry, const CollectorChoice& choice) {
  Settings settings = netns_settings(entry, choice);
  try {
    std::unique_ptr<Collector> collector = entry.make(settings);
    if (entry.netns_mode == NetnsMode::stateless) {
      return {.shared = std::move(collector), .make = {}};
    }
  } catch (const SettingError& error) {
    throw std::invalid_argument(netns_setting_flag(entry, error.name) + ": " + error.what());
  }
  return {.shared = {},
          .make = [make = entry.make, settings = std::move(settings)] { return make(settings); }};
}

}  // namespace

std::span<const CollectorEntry> registry() { return table; }

std::string collector_flag(const CollectorEntry& entry) {
  return "--collector." + std::string(entry.name);
}

std::string setting_flag(const CollectorEntry& entry, std::string_view setting) {
  return collector_flag(entry) + "." + std::string(setting);
}

std::string netns_setting_flag(const CollectorEntry& entry, std::string_view setting) {
  return "--netns." + std::string(entry.name) + "." + std::string(setting);
}

std::vector<NamedCollector> make_collectors(std::span<const CollectorEntry> entries,
                                            std::span<const CollectorChoice> choices,
                                            bool use_defaults, const NetnsOptions& netns,
                                            const std::string& procfs) {
  std::vector<NamedCollector> collectors;
  std::vector<NamespacedCollector> namespaced;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const CollectorEntry& entry = entries[i];
    if (!choices[i].is_enabled.value_or(use_defaults && entry.on_by_default)) {
      continue;
    }
    try {
      collectors.push_back({std::string(entry.name), entry.make(own_settings(entry, choices[i]))});
    } catch (const SettingError& error) {
      throw std::invalid_argument(setting_flag(entry, error.name) + ": " + error.what());
    }
    if (entry.netns_mode != NetnsMode::host_wide) {
      namespaced.push_back(make_namespaced(entry, choices[i]));
    }
  }
  if (collectors.empty()) {
    throw std::invalid_argument("no collector is enabled; enable one, as in --collector.listeners");
  }
  if (netns.discovery != Discovery::off) {
    collectors.push_back(
        {netns_collector_name, make_netns(netns, kernel::FileTree(procfs), std::move(namespaced))});
  }
  return collectors;
}

}  // namespace inetdiag
