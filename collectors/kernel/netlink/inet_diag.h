// What inet_diag says of one TCP or UDP socket: linux/inet_diag.h, sock_diag(7),
// net/ipv4/inet_diag.c (inet_sk_diag_fill, inet_req_diag_fill, inet_twsk_diag_fill).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace inetdiag::kernel {

/// The kernel's socket states, include/net/tcp_states.h. In an answer of inet_diag a request socket
/// (TCP_NEW_SYN_RECV) says syn_recv.
enum class TcpState : std::uint8_t {
  established = 1,
  syn_sent,
  syn_recv,
  fin_wait1,
  fin_wait2,
  time_wait,
  close,
  close_wait,
  last_ack,
  listen,
  closing,
};

/// One more than the largest TcpState: the size of a table indexed by state.
constexpr std::size_t tcp_state_slots = 12;

constexpr std::size_t slot(TcpState state) { return static_cast<std::size_t>(state); }
constexpr std::uint32_t mask(TcpState state) { return 1U << slot(state); }

struct InetAddress {
  std::uint8_t family = 0;               ///< AF_INET or AF_INET6
  std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 in the first four, the rest zero

  static InetAddress any(std::uint8_t family) { return {family, {}}; }
  bool is_any() const { return bytes == decltype(bytes){}; }

  /// The IPv4 address inside ::ffff:a.b.c.d.
  std::optional<InetAddress> unmapped() const;
  /// ::ffff:a.b.c.d of an IPv4 address.
  InetAddress mapped() const;
  /// `10.0.0.5`, or in brackets `[::1]`.
  std::string text() const;

  auto operator<=>(const InetAddress&) const = default;
};

/// The part of an answer that every socket has.
struct InetSocket {
  TcpState state{};
  /// A timewait minisocket (struct inet_timewait_sock); its state is time_wait or fin_wait2.
  bool is_timewait = false;
  InetAddress local;
  std::uint16_t local_port = 0;
  std::uint32_t device = 0;         ///< the interface index the socket is bound to, 0 if none
  std::uint64_t cookie = 0;         ///< unique among all sockets since boot
  std::uint32_t receive_queue = 0;  ///< bytes; of a listener: connections that wait for accept()
  std::uint32_t send_queue = 0;     ///< bytes; of a listener: its backlog
};

/// The rest of what an answer begins with: the other end, and whose the socket is.
struct InetPeer {
  InetAddress address;      ///< of a listener, any
  std::uint16_t port = 0;   ///< of a listener, 0
  std::uint32_t uid = 0;    ///< in the user namespace of who asks
  std::uint32_t inode = 0;  ///< of the socket's file; 0 where no program holds it
};

/// The attributes of a full socket; absent what this kernel does not send.
struct InetAttributes {
  /// INET_DIAG_SHUTDOWN is there: no request socket and no timewait minisocket has it.
  bool is_full_socket = false;
  std::optional<std::uint32_t> receive_limit;  ///< SK_MEMINFO_RCVBUF in bytes
  std::optional<std::uint32_t> drops;          ///< SK_MEMINFO_DROPS, Linux 4.7; wraps at 2^32
  std::optional<std::uint64_t> cgroup_id;      ///< INET_DIAG_CGROUP_ID, Linux 5.8
  std::optional<bool> v6_only;                 ///< INET_DIAG_SKV6ONLY, of IPv6 listeners
};

/// Absent where the bytes are too few or name a family or state that is unknown.
std::optional<InetSocket> parse_inet_socket(std::span<const std::byte> payload);

/// Of a payload that parse_inet_socket() understood.
InetPeer parse_inet_peer(std::span<const std::byte> payload);

/// Attributes that are malformed or unknown are passed over.
InetAttributes parse_inet_attributes(std::span<const std::byte> payload);

/// The payload of a dump of all TCP sockets of both families in one walk: struct inet_diag_req,
/// asked with the message type TCPDIAG_GETSOCK. SOCK_DIAG_BY_FAMILY dump_cpu once for each family.
/// `states` is a set of mask(TcpState).
std::array<std::byte, 60> tcp_dump_payload(std::uint32_t states, bool with_memory_info);

/// The payload of a dump of all UDP sockets of a family: struct inet_diag_req_v2, asked with the
/// message type SOCK_DIAG_BY_FAMILY, which takes one family at a time.
std::array<std::byte, 56> udp_dump_payload(std::uint8_t family);

}  // namespace inetdiag::kernel
