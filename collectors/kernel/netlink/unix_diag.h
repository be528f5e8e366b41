// Requests and messages of unix_diag: linux/unix_diag.h, net/unix/diag.c.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::kernel {

struct UnixSocket {
  std::uint8_t type = 0;    ///< SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
  TcpState state{};         ///< UNIX sockets use the TCP states established, close and listen
  std::uint32_t inode = 0;  ///< 0 for a connection in an accept queue
  std::string name;         ///< path, or abstract name with a leading `@`; arbitrary bytes
  /// Of a listener: connections in the accept queue. Of a datagram socket: bytes of the first
  /// datagram that it has not read (unix_inq_len).
  std::uint32_t receive_queue = 0;
  /// Of a listener: the backlog. Of others: memory of what it has sent and its peers have not read
  /// (sk_wmem_alloc).
  std::uint32_t send_queue = 0;
  std::optional<std::uint32_t> peer_inode;  ///< of a connected socket
  /// UNIX_DIAG_UID, Linux 5.3; in the user namespace of this process.
  std::optional<std::uint32_t> uid;
};

/// Returns nothing if the payload is too short or has an unknown state.
std::optional<UnixSocket> parse_unix_socket(std::span<const std::byte> payload);

/// Returns the payload of a SOCK_DIAG_BY_FAMILY dump (struct unix_diag_req). `states` is a set of
/// mask(TcpState), `show` a set of UDIAG_SHOW_*; kernels ignore those that they do not know.
std::array<std::byte, 24> unix_dump_payload(std::uint32_t states, std::uint32_t show);

}  // namespace inetdiag::kernel
