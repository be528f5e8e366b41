#pragma once

#include <string>

#include "collectors/kernel/netlink/inet_diag_filter.h"
#include "collectors/kernel/netlink/netlink.h"

namespace inetdiag {

enum class SocketsFormat { table, json };

struct SocketsOptions {
  kernel::InetFilter filter{};
  std::string netns{};  ///< pinned below `netns_folder`; this program's own where empty
  std::string netns_folder{};
  SocketsFormat format = SocketsFormat::table;
  bool summary = false;  ///< how many in each state, as JSON, instead of each
};

/// `inetdiag_exporter sockets`: TCP sockets written to `fd` as the kernel tells of them; memory
/// does not grow with them. Throws ReaderGone, std::system_error and std::invalid_argument.
void list_sockets(const kernel::NetlinkFactory& open, const SocketsOptions& options, int fd);

}  // namespace inetdiag
