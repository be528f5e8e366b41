#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "collectors/kernel/netlink/inet_diag_filter.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag {

enum class SocketsFormat { table, json };
enum class TopOf { peer, network, destination };

struct SocketsOptions {
  kernel::InetFilter filter{};
  /// The name of a namespace pinned in one of `netns_directories`; empty for that of this process.
  std::string netns{};
  std::vector<std::string> netns_directories{};
  std::string procfs = "/proc";
  SocketsFormat format = SocketsFormat::table;
  bool waiting = false;  ///< only connections that wait for accept(), among those of the filter
  bool info = false;     ///< also print the timer and struct tcp_info
  bool summary = false;  ///< print the number of sockets per state, as JSON
  std::optional<TopOf> top{};  ///< print who holds the most sockets
  std::size_t top_count = 10;
};

/// Runs `inetdiag_exporter sockets` and returns its exit status. Throws std::exception.
int run_sockets(const SocketsOptions& options);

/// Writes TCP sockets to `fd` while the kernel dumps them: memory does not grow with their number.
/// Throws BrokenPipe, std::system_error, or std::invalid_argument if `netns` is not a valid name.
void list_sockets(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd);

}  // namespace inetdiag
