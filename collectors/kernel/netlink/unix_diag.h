// What unix_diag says of one UNIX socket: linux/unix_diag.h, net/unix/diag.c.
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
  std::uint8_t type = 0;  ///< SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
  TcpState state{};       ///< UNIX sockets use those of TCP: established, close, listen
  std::string name;       ///< a path, or with an `@` before it an abstract name; may be any bytes
  std::uint32_t waiting = 0;  ///< of a listener: connections that wait for accept()
  std::uint32_t backlog = 0;  ///< of a listener
};

/// Absent where the bytes are too few or name a state that is unknown.
std::optional<UnixSocket> parse_unix_socket(std::span<const std::byte> payload);

/// The payload of a dump: struct unix_diag_req, asked with the message type SOCK_DIAG_BY_FAMILY.
/// Names and queue lengths only where `with_queues`.
std::array<std::byte, 24> unix_dump_payload(std::uint32_t states, bool with_queues);

}  // namespace inetdiag::kernel
