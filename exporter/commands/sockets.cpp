#include "exporter/commands/sockets.h"

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include <unistd.h>

#include "collectors/kernel/base/deadline.h"
#include "collectors/kernel/netlink/tcp_states.h"
#include "collectors/kernel/netlink/tcp_table.h"
#include "collectors/kernel/netns/network_namespaces.h"
#include "exporter/commands/atomic_file.h"
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
void dump_sockets(const kernel::NetlinkFactory& open, const kernel::InetFilter& filter,
                  const SocketHandler& handle) {
  const kernel::Deadline no_deadline(kernel::Deadline::Clock::time_point::max(), {});
  const kernel::InetRequest request = kernel::tcp_request(filter);
  kernel::dump(open, request.type, request.payload, no_deadline, [&](Payload payload) {
    if (const auto socket = kernel::parse_inet_socket(payload)) {
      handle(*socket, payload);
    }
  });
}

void write_lines(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd) {
  const bool is_json = options.format == SocketsFormat::json;
  SocketLines lines;
  std::string text;
  text.reserve(write_bytes + max_line_bytes);
  if (!is_json) {
    text.append(SocketLines::table_header());
  }
  dump_sockets(open, options.filter, [&](const kernel::InetSocket& socket, Payload payload) {
    const kernel::InetPeer peer = kernel::parse_inet_peer(payload);
    if (is_json) {
      lines.append_json(text, socket, peer);
    } else {
      lines.append_row(text, socket, peer);
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
  dump_sockets(open, options.filter, [&](const kernel::InetSocket& socket, Payload /*payload*/) {
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

void enter_namespace(const SocketsOptions& options) {
  try {
    kernel::enter_network_namespace(
        kernel::pinned_network_namespace(options.netns_directory, options.netns));
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::operation_not_permitted) {
      throw;
    }
    throw std::runtime_error(std::string(error.what()) + " (needs CAP_SYS_ADMIN)");
  }
}

}  // namespace

int run_sockets(const SocketsOptions& options) {
  try {
    list_sockets(kernel::open_sock_diag, options, STDOUT_FILENO);
  } catch (const BrokenPipe&) {  // not a failure: `| head`
  }
  return EXIT_SUCCESS;
}

void list_sockets(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd) {
  if (!options.netns.empty()) {
    enter_namespace(options);
  }
  if (options.summary) {
    write_summary(open, options, fd);
  } else {
    write_lines(open, options, fd);
  }
}

}  // namespace inetdiag
