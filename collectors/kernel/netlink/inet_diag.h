// Requests and messages of inet_diag for TCP and UDP sockets: linux/inet_diag.h, sock_diag(7),
// net/ipv4/inet_diag.c (inet_sk_diag_fill, inet_req_diag_fill, inet_twsk_diag_fill).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace inetdiag::kernel {

/// Socket states, include/net/tcp_states.h. inet_diag reports a request socket (TCP_NEW_SYN_RECV)
/// as syn_recv.
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

/// The size of a table indexed by TcpState.
constexpr std::size_t tcp_state_slots = 12;

constexpr std::size_t slot(TcpState state) { return static_cast<std::size_t>(state); }
constexpr std::uint32_t mask(TcpState state) { return 1U << slot(state); }

struct InetAddress {
  std::uint8_t family = 0;               ///< AF_INET or AF_INET6
  std::array<std::uint8_t, 16> bytes{};  ///< network order; IPv4 in the first four, the rest zero

  static InetAddress any(std::uint8_t family) { return {family, {}}; }
  bool is_any() const { return bytes == decltype(bytes){}; }
  /// In 127.0.0.0/8, or ::1.
  bool is_loopback() const;
  /// For a hash.
  std::array<std::uint64_t, 2> words() const {
    return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
  }

  /// Returns the IPv4 address of an IPv4-mapped address (::ffff:a.b.c.d).
  std::optional<InetAddress> unmapped() const;
  /// Returns ::ffff:a.b.c.d for an IPv4 address.
  InetAddress mapped() const;
  /// Returns `10.0.0.5` or `[::1]`.
  std::string text() const;

  auto operator<=>(const InetAddress&) const = default;
};

/// idiag_timer: the pending timer of a socket.
enum class SocketTimer : std::uint8_t {
  none,
  retransmission,
  keepalive,
  time_wait,  ///< of a timewait minisocket (struct inet_timewait_sock)
  zero_window_probe,
};

/// The fields that every socket has.
struct InetSocket {
  TcpState state{};
  SocketTimer timer{};         ///< none also for a timer that this program does not know
  std::uint32_t timer_ms = 0;  ///< until the timer expires
  InetAddress local;
  std::uint16_t local_port = 0;
  std::uint32_t device = 0;         ///< interface index (SO_BINDTODEVICE), 0 if none
  std::uint64_t cookie = 0;         ///< unique among all sockets since boot
  std::uint32_t receive_queue = 0;  ///< bytes; for a listener: connections in the accept queue
  std::uint32_t send_queue = 0;     ///< bytes; for a listener: the backlog
  /// Of the SYN, the SYN-ACK or the oldest segment, or unanswered probes, in a row.
  std::uint8_t retransmissions = 0;

  /// Such a socket is in TIME_WAIT or FIN_WAIT2.
  bool is_timewait() const { return timer == SocketTimer::time_wait; }
};

/// The peer and the owner of a socket.
struct InetPeer {
  InetAddress address;      ///< any for a listener
  std::uint16_t port = 0;   ///< 0 for a listener
  std::uint32_t uid = 0;    ///< in the user namespace of this process
  std::uint32_t inode = 0;  ///< of the socket's file; 0 without one
};

/// The states of a connection that waits for accept().
constexpr std::uint32_t waiting_states = mask(TcpState::established) | mask(TcpState::close_wait);

/// Returns whether a connection waits for accept(), which gives it its file.
constexpr bool waits_for_accept(TcpState state, const InetPeer& peer) {
  return (mask(state) & waiting_states) != 0 && peer.inode == 0;
}

/// Parts of struct tcp_info (INET_DIAG_INFO).
struct TcpInfo {
  std::uint32_t rtt_us = 0;  ///< smoothed; 0 if it was not measured
  std::uint32_t rtt_variation_us = 0;
  std::uint32_t unacknowledged = 0;         ///< segments in flight
  std::uint32_t congestion_window = 0;      ///< segments
  std::uint32_t total_retransmissions = 0;  ///< segments, since the connection was opened
  std::uint32_t last_sent_ms = 0;           ///< since data was sent
  std::uint32_t last_received_ms = 0;       ///< since data was received
  // Times since the connection was opened, Linux 4.9; 0 before.
  std::uint64_t busy_us = 0;                    ///< with data to send or in flight
  std::uint64_t receive_window_limited_us = 0;  ///< the peer's window was full
  std::uint64_t send_buffer_limited_us = 0;     ///< the send buffer was full
};

/// The attributes of a full socket. Those that this kernel does not send are absent.
struct InetAttributes {
  /// Has INET_DIAG_SHUTDOWN, unlike request sockets and timewait minisockets.
  bool is_full_socket = false;
  std::optional<std::uint32_t> receive_limit;  ///< SK_MEMINFO_RCVBUF, bytes
  std::optional<std::uint32_t> drops;          ///< SK_MEMINFO_DROPS, Linux 4.7; wraps at 2^32
  std::optional<std::uint64_t> cgroup_id;      ///< INET_DIAG_CGROUP_ID, Linux 5.8
  std::optional<bool> v6_only;                 ///< INET_DIAG_SKV6ONLY, IPv6 only
  std::optional<TcpInfo> info;                 ///< INET_DIAG_INFO
};

/// Returns nothing if the payload is too short or has an unknown family or state.
std::optional<InetSocket> parse_inet_socket(std::span<const std::byte> payload);

/// Requires a payload that parse_inet_socket() accepted.
InetPeer parse_inet_peer(std::span<const std::byte> payload);

/// Ignores unknown and malformed attributes.
InetAttributes parse_inet_attributes(std::span<const std::byte> payload);

/// Attributes that the kernel adds on request only (idiag_ext).
enum class Extension : std::uint8_t { none, memory_info, tcp_info };

/// Returns the payload of a TCPDIAG_GETSOCK dump (struct inet_diag_req), which walks the TCP
/// sockets of both families once; SOCK_DIAG_BY_FAMILY needs one walk for each family. `states` is a
/// set of mask(TcpState).
std::array<std::byte, 60> tcp_dump_payload(std::uint32_t states, Extension extension);

/// Returns the payload of a SOCK_DIAG_BY_FAMILY dump (struct inet_diag_req_v2) of the UDP sockets
/// of one family.
std::array<std::byte, 56> udp_dump_payload(std::uint8_t family);

}  // namespace inetdiag::kernel
