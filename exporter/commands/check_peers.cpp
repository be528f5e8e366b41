#include "exporter/commands/check_peers.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/base/text.h"
#include "collectors/kernel/netlink/inet_diag_filter.h"
#include "exporter/commands/enter_namespace.h"
#include "exporter/commands/peer_table.h"
#include "exporter/diagnosis/namespace_scope.h"
#include "exporter/diagnosis/terminal.h"

namespace inetdiag {
namespace {

using diagnosis::Finding;
using kernel::TcpState;

constexpr std::size_t peers_per_port = 5;
constexpr std::size_t max_ports = 20;
constexpr std::size_t counters_per_port = 4096;
constexpr std::chrono::seconds dump_timeout{10};

std::string label_of(const Finding& finding, const std::string& name) {
  const auto found = finding.affected.labels.find(name);
  return found == finding.affected.labels.end() ? "" : found->second;
}

/// Returns nothing for findings without a single TCP port.
std::optional<PortPeers> port_of(const Finding& finding) {
  const bool is_queue = finding.affected.kind == "listener";
  const auto port = kernel::to_number<std::uint16_t>(label_of(finding, "port"));
  if (!port || (!is_queue && finding.affected.kind != "port")) {
    return std::nullopt;
  }
  return PortPeers{.netns = label_of(finding, "netns"),
                   .port = *port,
                   .is_queue = is_queue,
                   .peers = kernel::TopPeers(kernel::PeerScope::address, counters_per_port)};
}

AffectedPeers ports_of(const std::vector<Finding>& findings) {
  AffectedPeers affected;
  std::set<std::tuple<std::string, std::uint16_t, bool>> seen;
  for (const Finding& finding : findings) {
    auto port = port_of(finding);
    if (!port || !seen.emplace(port->netns, port->port, port->is_queue).second) {
      continue;
    }
    if (affected.ports.size() < max_ports) {
      affected.ports.push_back(std::move(*port));
    } else {
      ++affected.omitted;
    }
  }
  return affected;
}

bool counts(const PortPeers& port, const kernel::InetSocket& socket, const kernel::InetPeer& peer) {
  const bool is_in_queue =
      socket.state == TcpState::syn_recv || kernel::waits_for_accept(socket.state, peer);
  return port.port == socket.local_port &&
         (port.is_queue ? is_in_queue : socket.state == TcpState::close_wait && !is_in_queue);
}

/// Throws as kernel::dump() does.
void count_peers(std::span<PortPeers* const> ports, const kernel::NetlinkFactory& open) {
  kernel::InetFilter filter{.states = kernel::waiting_states | mask(TcpState::syn_recv)};
  for (const PortPeers* port : ports) {
    filter.ports.push_back({port->port, port->port});
  }
  const kernel::InetRequest request = kernel::tcp_request(filter);
  kernel::dump(open, request.type, request.payload, kernel::Deadline::in(dump_timeout),
               [&](std::span<const std::byte> payload) {
                 const auto socket = kernel::parse_inet_socket(payload);
                 if (!socket) {
                   return;
                 }
                 const kernel::InetPeer peer = kernel::parse_inet_peer(payload);
                 for (PortPeers* port : ports) {
                   if (counts(*port, *socket, peer)) {
                     port->peers.add(peer);
                   }
                 }
               });
}

/// Returns the message of the exception of `function`; empty if it succeeds.
std::string error_of(const std::function<void()>& function) {
  try {
    function();
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// Runs `function` in the namespace that is pinned at a file, on a thread of its own: the return to
/// another namespace can fail. Returns the error.
std::string run_in_namespace(const std::string& pin, const std::function<void()>& function) {
  if (pin.empty()) {
    return "the namespace is not pinned; run the command of the finding";
  }
  std::string error;
  std::jthread([&] {
    error = error_of([&] {
      enter_namespace(kernel::network_namespace_at(pin));
      function();
    });
  }).join();
  return error;
}

std::string title_of(const PortPeers& port) {
  return fmt::format("port {}{}", port.port, diagnosis::in_namespace(port.netns, ""));
}

std::string port_text(const PortPeers& port) {
  std::string text = "  " + diagnosis::replace_controls(title_of(port)) + ": ";
  if (!port.error.empty()) {
    return text + "unknown: " + diagnosis::replace_controls(port.error) + "\n";
  }
  text += port.is_queue ? peer_totals(port.peers, "connection", " in the SYN and accept queues")
                        : peer_totals(port.peers, "accepted connection", " in CLOSE_WAIT");
  text += "\n";
  for (const auto& entry : port.peers.sketch().top(peers_per_port)) {
    const std::string range = entry.at_least == entry.at_most
                                  ? std::to_string(entry.at_most)
                                  : fmt::format("{} to {}", entry.at_least, entry.at_most);
    text += fmt::format("    {:>10}  {}\n", range, text_of(entry.key));
  }
  return text;
}

}  // namespace

AffectedPeers peers_of_findings(const std::vector<Finding>& findings,
                                const diagnosis::Snapshot& snapshot,
                                const kernel::NetlinkFactory& open) {
  AffectedPeers affected = ports_of(findings);
  std::map<std::string, std::vector<PortPeers*>> by_netns;
  for (PortPeers& port : affected.ports) {
    by_netns[port.netns].push_back(&port);
  }
  for (const auto& [netns, ports] : by_netns) {
    const auto count = [&, &ports = ports] { count_peers(ports, open); };
    const std::string error = netns.empty()
                                  ? error_of(count)
                                  : run_in_namespace(snapshot.namespaces.at(netns).pin, count);
    for (PortPeers* port : ports) {
      port->error = error;
    }
  }
  return affected;
}

std::string affected_peers_text(const AffectedPeers& affected) {
  if (affected.ports.empty()) {
    return "Peers: no finding has a TCP port.\n\n";
  }
  std::string text = "Peers of the ports above\n";
  for (const PortPeers& port : affected.ports) {
    text += port_text(port);
  }
  if (affected.omitted > 0) {
    text +=
        fmt::format("  and {} more ports: see the commands of their findings\n", affected.omitted);
  }
  return text + "\n";
}

void write_affected_peers(JsonWriter& json, const AffectedPeers& affected) {
  json.key("peers").begin_array();
  for (const PortPeers& port : affected.ports) {
    const bool is_own = port.netns.empty();
    json.begin_object();
    json.field("netns", is_own ? std::nullopt : std::optional(std::string_view(port.netns)));
    json.field("port", std::to_string(port.port));
    json.field("counted", port.is_queue ? "queues" : "close_wait");
    json.field("error",
               port.error.empty() ? std::nullopt : std::optional(std::string_view(port.error)));
    if (port.error.empty()) {
      write_peers(json, port.peers, peers_per_port);
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace inetdiag
