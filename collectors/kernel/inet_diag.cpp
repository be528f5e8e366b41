#include "collectors/kernel/inet_diag.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

namespace inetdiag::kernel {
namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped_prefix = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t v4_bytes = 4;
// inet_twsk_diag_fill sets it, and nothing else does.
constexpr std::uint8_t timewait_timer = 3;

/// Kernel bytes into a struct of this program's headers, which may be longer or shorter than the
/// kernel's; what the kernel did not send is zero.
template <typename T>
T copy_prefix(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
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
  socket.is_timewait = message.idiag_timer == timewait_timer;
  socket.local.family = message.idiag_family;
  std::memcpy(socket.local.bytes.data(), message.id.idiag_src,
              is_v4 ? v4_bytes : sizeof message.id.idiag_src);
  socket.local_port = ntohs(message.id.idiag_sport);
  socket.device = message.id.idiag_if;
  socket.cookie = (std::uint64_t{message.id.idiag_cookie[1]} << 32) | message.id.idiag_cookie[0];
  socket.receive_queue = message.idiag_rqueue;
  socket.send_queue = message.idiag_wqueue;
  return socket;
}

InetAttributes parse_inet_attributes(std::span<const std::byte> payload) {
  InetAttributes attributes;
  std::size_t at = NLMSG_ALIGN(sizeof(inet_diag_msg));
  while (at < payload.size() && payload.size() - at >= sizeof(nlattr)) {
    const auto header = copy_prefix<nlattr>(payload.subspan(at));
    if (header.nla_len < sizeof(nlattr) || header.nla_len > payload.size() - at) {
      break;
    }
    const auto value = payload.subspan(at + sizeof(nlattr), header.nla_len - sizeof(nlattr));
    switch (header.nla_type & NLA_TYPE_MASK) {
      case INET_DIAG_SKMEMINFO:
        if (value.size() >= (SK_MEMINFO_DROPS + 1) * sizeof(std::uint32_t)) {
          attributes.drops =
              copy_prefix<std::uint32_t>(value.subspan(SK_MEMINFO_DROPS * sizeof(std::uint32_t)));
        }
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
    at += NLA_ALIGN(header.nla_len);
  }
  return attributes;
}

std::array<std::byte, 60> tcp_dump_payload(std::uint32_t states, bool with_memory_info) {
  inet_diag_req request{};
  request.idiag_family = AF_UNSPEC;
  request.idiag_ext = with_memory_info ? 1U << (INET_DIAG_SKMEMINFO - 1) : 0;
  request.idiag_states = states;
  return std::bit_cast<std::array<std::byte, sizeof request>>(request);
}

}  // namespace inetdiag::kernel
