#pragma once

#include <string>

#include "collectors/kernel/inet_diag_filter.h"
#include "collectors/kernel/netlink.h"

namespace inetdiag {

enum class SocketsFormat { table, json };

struct SocketsOptions {
  kernel::InetFilter filter{};
  std::string netns{};  ///< of ip-netns(8); this program's own where empty
  SocketsFormat format = SocketsFormat::table;
  bool summary = false;  ///< how many in each state, as JSON, instead of each
};

/// `inetdiag_exporter sockets`: TCP sockets written to `fd` as the kernel tells of them; memory
/// does not grow with them. Throws ReaderGone, std::system_error and std::invalid_argument.
void list_sockets(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd);

}  // namespace inetdiag
