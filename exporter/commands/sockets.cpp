#include "exporter/commands/sockets.h"

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/tcp_states.h"
#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/kernel/netlink/top_peers.h"
#include "collectors/kernel/proc/cached_files.h"
#include "collectors/kernel/proc/ephemeral_ports.h"
#include "exporter/commands/atomic_file.h"
#include "exporter/commands/destination_table.h"
#include "exporter/commands/enter_namespace.h"
#include "exporter/commands/peer_table.h"
#include "exporter/commands/socket_lines.h"
#include "exporter/exposition/json_writer.h"

namespace inetdiag {
namespace {

constexpr int sockets_schema_version = 1;

constexpr std::size_t write_bytes = 1U << 16U;  // the capacity of a pipe (pipe(7))
constexpr std::size_t max_line_bytes = 1024;

using Payload = std::span<const std::byte>;
using SocketHandler = std::function<void(const kernel::InetSocket&, Payload)>;

/// Has no deadline: the reader of the output may be slow, and the user can interrupt the command.
void dump_sockets(const kernel::NetlinkFactory& open, const SocketsOptions& options,
                  const SocketHandler& handle) {
  const kernel::Deadline no_deadline(kernel::Deadline::Clock::time_point::max(), {});
  const kernel::InetRequest request = kernel::tcp_request(options.filter, options.info);
  kernel::dump(open, request.type, request.payload, no_deadline, [&](Payload payload) {
    const auto socket = kernel::parse_inet_socket(payload);
    if (socket && (!options.waiting ||
                   kernel::waits_for_accept(socket->state, kernel::parse_inet_peer(payload)))) {
      handle(*socket, payload);
    }
  });
}

void write_lines(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd) {
  const bool is_json = options.format == SocketsFormat::json;
  SocketLines lines(options.info);
  std::string text;
  text.reserve(write_bytes + max_line_bytes);
  if (!is_json) {
    text.append(lines.table_header());
  }
  dump_sockets(open, options, [&](const kernel::InetSocket& socket, Payload payload) {
    if (is_json) {
      lines.append_json(text, socket, payload);
    } else {
      lines.append_row(text, socket, payload);
    }
    if (text.size() >= write_bytes) {
      write_all(fd, text);
      text.clear();
    }
  });
  write_all(fd, text);
}

void write_summary(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd) {
  kernel::StateCounts counts{};
  dump_sockets(open, options, [&](const kernel::InetSocket& socket, Payload /*payload*/) {
    ++counts[slot(socket.state)];
  });
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("schema_version", sockets_schema_version);
  json.field("sockets", std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  json.key("states").begin_object();
  for (const auto& [state, name] : kernel::tcp_states) {
    json.field(name, counts[slot(state)]);
  }
  json.end_object().end_object();
  write_all(fd, text.append("\n"));
}

void write_top_peers(const kernel::NetlinkFactory& open, const SocketsOptions& options,
                     kernel::PeerScope scope, int fd) {
  SocketsOptions with_peers = options;
  with_peers.filter.states &= ~mask(kernel::TcpState::listen);
  kernel::TopPeers peers(scope);
  dump_sockets(open, with_peers, [&](const kernel::InetSocket& /*socket*/, Payload payload) {
    peers.add(kernel::parse_inet_peer(payload));
  });
  if (options.format == SocketsFormat::table) {
    write_all(fd, peer_table(peers, options.top_count));
    return;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("schema_version", sockets_schema_version);
  json.field("top", scope == kernel::PeerScope::network ? "network" : "peer");
  write_peers(json, peers, options.top_count);
  json.end_object();
  write_all(fd, text.append("\n"));
}

kernel::DestinationsInUse destinations_in_use(const kernel::NetlinkFactory& open,
                                              const SocketsOptions& options) {
  const kernel::Deadline no_deadline(kernel::Deadline::Clock::time_point::max(), {});
  const kernel::FileTree procfs(options.procfs);
  kernel::CachedFiles files(procfs, no_deadline);
  auto ports = kernel::read_ephemeral_ports(files);
  if (!ports) {
    throw std::runtime_error("cannot read net.ipv4.ip_local_port_range in " + options.procfs);
  }
  kernel::TcpTable table(open, no_deadline);
  for (const kernel::Listener& listener : table.listeners()) {
    ports->ports.reset(listener.endpoint.port);
  }
  kernel::DestinationCounter destinations(*ports);
  dump_sockets(open, options, [&](const kernel::InetSocket& socket, Payload payload) {
    destinations.add(socket, payload);
  });
  return destinations.result();
}

void write_top_destinations(const kernel::NetlinkFactory& open, const SocketsOptions& options,
                            int fd) {
  const kernel::DestinationsInUse in_use = destinations_in_use(open, options);
  if (options.format == SocketsFormat::table) {
    write_all(fd, destination_table(in_use, options.top_count));
    return;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("schema_version", sockets_schema_version);
  json.field("top", "destination");
  write_destinations(json, in_use, options.top_count);
  json.end_object();
  write_all(fd, text.append("\n"));
}

}  // namespace

int run_sockets(const SocketsOptions& options) {
  try {
    list_sockets(kernel::open_netlink, options, STDOUT_FILENO);
  } catch (const BrokenPipe&) {  // not a failure: `| head`
  }
  return EXIT_SUCCESS;
}

void list_sockets(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd) {
  if (!options.netns.empty()) {
    enter_namespace(kernel::pinned_network_namespace(options.netns_directories, options.netns));
  }
  if (options.summary) {
    write_summary(open, options, fd);
  } else if (options.top == TopOf::destination) {
    write_top_destinations(open, options, fd);
  } else if (options.top) {
    write_top_peers(
        open, options,
        options.top == TopOf::network ? kernel::PeerScope::network : kernel::PeerScope::address,
        fd);
  } else {
    write_lines(open, options, fd);
  }
}

}  // namespace inetdiag
