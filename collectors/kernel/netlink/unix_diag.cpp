#include "collectors/kernel/netlink/unix_diag.h"

#include <algorithm>
#include <bit>

#include <linux/unix_diag.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/attributes.h"

namespace inetdiag::kernel {
namespace {

/// Formats a name as /proc/net/unix: `@` for each NUL of an abstract name; a path ends at its NUL.
std::string name_of(std::span<const std::byte> value) {
  std::string name(value.size(), '\0');
  std::ranges::transform(value, name.begin(), [](std::byte b) { return static_cast<char>(b); });
  if (name.starts_with('\0')) {
    std::ranges::replace(name, '\0', '@');
    return name;
  }
  return name.substr(0, name.find('\0'));
}

}  // namespace

std::optional<UnixSocket> parse_unix_socket(std::span<const std::byte> payload) {
  if (payload.size() < sizeof(unix_diag_msg)) {
    return std::nullopt;
  }
  const auto message = copy_prefix<unix_diag_msg>(payload);
  if (message.udiag_state == 0 || message.udiag_state >= tcp_state_slots) {
    return std::nullopt;
  }
  UnixSocket socket;
  socket.type = message.udiag_type;
  socket.state = static_cast<TcpState>(message.udiag_state);
  socket.inode = message.udiag_ino;
  for_each_attribute(
      payload.subspan(sizeof message), [&](int type, std::span<const std::byte> value) {
        if (type == UNIX_DIAG_NAME) {
          socket.name = name_of(value);
        } else if (type == UNIX_DIAG_RQLEN && value.size() >= sizeof(unix_diag_rqlen)) {
          const auto queue = copy_prefix<unix_diag_rqlen>(value);
          socket.receive_queue = queue.udiag_rqueue;
          socket.send_queue = queue.udiag_wqueue;
        } else if (type == UNIX_DIAG_PEER && value.size() >= sizeof(std::uint32_t)) {
          socket.peer_inode = copy_prefix<std::uint32_t>(value);
        } else if (type == UNIX_DIAG_UID && value.size() >= sizeof(std::uint32_t)) {
          socket.uid = copy_prefix<std::uint32_t>(value);
        }
      });
  return socket;
}

std::array<std::byte, 24> unix_dump_payload(std::uint32_t states, std::uint32_t show) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = states;
  request.udiag_show = show;
  return std::bit_cast<std::array<std::byte, sizeof request>>(request);
}

}  // namespace inetdiag::kernel
