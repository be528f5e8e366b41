#include "collectors/kernel/proc/netlink_sockets.h"

#include <cstddef>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

/// Column indices: sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
struct NetlinkColumn {
  static constexpr std::size_t protocol = 1;
  static constexpr std::size_t port_id = 2;
  static constexpr std::size_t groups = 3;
  static constexpr std::size_t rmem = 4;
  static constexpr std::size_t drops = 8;
  static constexpr std::size_t inode = 9;
  static constexpr std::size_t count = 10;
};

}  // namespace

std::vector<NetlinkSocketEntry> parse_netlink_sockets(std::string_view text) {
  std::vector<NetlinkSocketEntry> sockets;
  next_line(text);
  while (!text.empty()) {
    std::string_view line = next_line(text);
    auto words = next_words<NetlinkColumn::count>(line);
    const auto number = to_number<std::uint32_t>(words[NetlinkColumn::protocol]);
    const auto queued = to_number<std::uint64_t>(words[NetlinkColumn::rmem]);
    const auto dropped = to_number<std::uint32_t>(words[NetlinkColumn::drops]);
    const auto id = to_number<std::uint64_t>(words[NetlinkColumn::inode]);
    const bool is_of_program =
        to_number<std::uint32_t>(words[NetlinkColumn::port_id]).value_or(0) != 0;
    if (is_of_program && number && queued && dropped && id) {
      const auto groups = hex_number(words[NetlinkColumn::groups]).value_or(0);
      sockets.push_back({*number, static_cast<std::uint32_t>(groups), *queued, *dropped, *id});
    }
  }
  return sockets;
}

}  // namespace inetdiag::kernel
