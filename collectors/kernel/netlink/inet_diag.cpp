#include "collectors/kernel/netlink/inet_diag.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/attributes.h"

namespace inetdiag::kernel {
namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped_prefix = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t v4_bytes = 4;
constexpr auto last_timer = static_cast<std::uint8_t>(SocketTimer::zero_window_probe);

/// Returns the word at an offset of a struct that is shorter on older kernels.
std::optional<std::uint32_t> word_at(std::span<const std::byte> info, std::size_t at) {
  if (info.size() < at + sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  return copy_prefix<std::uint32_t>(info.subspan(at));
}

/// Returns std::nullopt if the struct is shorter than that of any kernel.
std::optional<TcpInfo> parse_tcp_info(std::span<const std::byte> value) {
  if (value.size() < offsetof(tcp_info, tcpi_total_retrans) + sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  const auto info = copy_prefix<tcp_info>(value);
  return TcpInfo{.rtt_us = info.tcpi_rtt,
                 .rtt_variation_us = info.tcpi_rttvar,
                 .unacknowledged = info.tcpi_unacked,
                 .congestion_window = info.tcpi_snd_cwnd,
                 .total_retransmissions = info.tcpi_total_retrans,
                 .last_sent_ms = info.tcpi_last_data_sent,
                 .last_received_ms = info.tcpi_last_data_recv,
                 .busy_us = info.tcpi_busy_time,
                 .receive_window_limited_us = info.tcpi_rwnd_limited,
                 .send_buffer_limited_us = info.tcpi_sndbuf_limited};
}

}  // namespace

std::optional<InetAddress> InetAddress::unmapped() const {
  if (family != AF_INET6 || !std::ranges::equal(v4_mapped_prefix, std::span(bytes).first<12>())) {
    return std::nullopt;
  }
  InetAddress v4 = any(AF_INET);
  std::copy_n(bytes.begin() + v4_mapped_prefix.size(), v4_bytes, v4.bytes.begin());
  return v4;
}

bool InetAddress::is_loopback() const {
  constexpr std::uint8_t v4_loopback_network = 127;
  InetAddress v6_loopback = any(AF_INET6);
  v6_loopback.bytes.back() = 1;
  return family == AF_INET ? bytes.front() == v4_loopback_network : *this == v6_loopback;
}

InetAddress InetAddress::mapped() const {
  InetAddress v6 = any(AF_INET6);
  std::ranges::copy(v4_mapped_prefix, v6.bytes.begin());
  std::copy_n(bytes.begin(), v4_bytes, v6.bytes.begin() + v4_mapped_prefix.size());
  return v6;
}

std::string InetAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) {
    return {};
  }
  return family == AF_INET6 ? std::string("[").append(text.data()).append("]")
                            : std::string(text.data());
}

std::optional<InetSocket> parse_inet_socket(std::span<const std::byte> payload) {
  if (payload.size() < sizeof(inet_diag_msg)) {
    return std::nullopt;
  }
  const auto message = copy_prefix<inet_diag_msg>(payload);
  const bool is_v4 = message.idiag_family == AF_INET;
  if ((!is_v4 && message.idiag_family != AF_INET6) || message.idiag_state == 0 ||
      message.idiag_state >= tcp_state_slots) {
    return std::nullopt;
  }
  InetSocket socket;
  socket.state = static_cast<TcpState>(message.idiag_state);
  socket.timer = message.idiag_timer <= last_timer ? static_cast<SocketTimer>(message.idiag_timer)
                                                   : SocketTimer::none;
  socket.timer_ms = message.idiag_expires;
  socket.local.family = message.idiag_family;
  std::memcpy(socket.local.bytes.data(), message.id.idiag_src,
              is_v4 ? v4_bytes : sizeof message.id.idiag_src);
  socket.local_port = ntohs(message.id.idiag_sport);
  socket.device = message.id.idiag_if;
  socket.cookie = (std::uint64_t{message.id.idiag_cookie[1]} << 32) | message.id.idiag_cookie[0];
  socket.receive_queue = message.idiag_rqueue;
  socket.send_queue = message.idiag_wqueue;
  socket.retransmissions = message.idiag_retrans;
  return socket;
}

InetPeer parse_inet_peer(std::span<const std::byte> payload) {
  const auto message = copy_prefix<inet_diag_msg>(payload);
  InetPeer peer;
  peer.address.family = message.idiag_family;
  std::memcpy(peer.address.bytes.data(), message.id.idiag_dst,
              message.idiag_family == AF_INET ? v4_bytes : sizeof message.id.idiag_dst);
  peer.port = ntohs(message.id.idiag_dport);
  peer.uid = message.idiag_uid;
  peer.inode = message.idiag_inode;
  return peer;
}

InetAttributes parse_inet_attributes(std::span<const std::byte> payload) {
  InetAttributes attributes;
  if (payload.size() < sizeof(inet_diag_msg)) {
    return attributes;
  }
  for_each_attribute(
      payload.subspan(sizeof(inet_diag_msg)), [&](int type, std::span<const std::byte> value) {
        switch (type) {
          case INET_DIAG_SKMEMINFO:
            attributes.receive_limit = word_at(value, SK_MEMINFO_RCVBUF * sizeof(std::uint32_t));
            attributes.drops = word_at(value, SK_MEMINFO_DROPS * sizeof(std::uint32_t));
            break;
          case INET_DIAG_INFO:
            attributes.info = parse_tcp_info(value);
            break;
          case INET_DIAG_SHUTDOWN:
            attributes.is_full_socket = true;
            break;
          case INET_DIAG_CGROUP_ID:
            if (value.size() >= sizeof(std::uint64_t)) {
              attributes.cgroup_id = copy_prefix<std::uint64_t>(value);
            }
            break;
          case INET_DIAG_SKV6ONLY:
            if (!value.empty()) {
              attributes.v6_only = value.front() != std::byte{0};
            }
            break;
          default:
            break;
        }
      });
  return attributes;
}

std::array<std::byte, 60> tcp_dump_payload(std::uint32_t states, Extension extension) {
  inet_diag_req request{};
  request.idiag_family = AF_UNSPEC;
  if (extension != Extension::none) {
    const int attribute =
        extension == Extension::memory_info ? INET_DIAG_SKMEMINFO : INET_DIAG_INFO;
    request.idiag_ext = static_cast<std::uint8_t>(1U << (attribute - 1));
  }
  request.idiag_states = states;
  return std::bit_cast<std::array<std::byte, sizeof request>>(request);
}

std::array<std::byte, 56> udp_dump_payload(std::uint8_t family) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_UDP;
  request.idiag_ext = 1U << (INET_DIAG_SKMEMINFO - 1);
  request.idiag_states = ~0U;
  return std::bit_cast<std::array<std::byte, sizeof request>>(request);
}

}  // namespace inetdiag::kernel
