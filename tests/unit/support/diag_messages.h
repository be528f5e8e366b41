// Builds sock_diag messages, and transports that replay them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/inet_diag.h"
#include "collectors/kernel/netlink/netlink.h"
#include "tests/unit/support/inet_diag_bytecode.h"

namespace inetdiag::testing {

using Bytes = std::vector<std::byte>;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

inline void pad(Bytes& bytes) { bytes.resize((bytes.size() + 3) / 4 * 4); }

/// Appends an attribute. A `claimed` length overrides the real one.
inline void append_attribute(Bytes& bytes, int type, const Bytes& value, int claimed = -1) {
  nlattr header{};
  header.nla_len = static_cast<std::uint16_t>(claimed >= 0 ? static_cast<std::size_t>(claimed)
                                                           : sizeof header + value.size());
  header.nla_type = static_cast<std::uint16_t>(type);
  append(bytes, header);
  bytes.insert(bytes.end(), value.begin(), value.end());
  pad(bytes);
}

inline Bytes memory_info(std::uint32_t drops, std::uint32_t receive_limit = 0) {
  Bytes value;
  for (int i = 0; i < SK_MEMINFO_VARS; ++i) {
    append(value, i == SK_MEMINFO_DROPS ? drops : i == SK_MEMINFO_RCVBUF ? receive_limit : 0U);
  }
  return value;
}

/// struct tcp_info, which cannot be included: linux/tcp.h conflicts with netinet/tcp.h.
inline Bytes tcp_info_bytes(const kernel::TcpInfo& info) {
  constexpr std::size_t size = 248;
  Bytes bytes(size);
  const auto write = [&](std::size_t offset, std::uint32_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  };
  write(24, info.unacknowledged);
  write(44, info.last_sent_ms);
  write(52, info.last_received_ms);
  write(68, info.rtt_us);
  write(72, info.rtt_variation_us);
  write(80, info.congestion_window);
  write(100, info.total_retransmissions);
  const auto write_long = [&](std::size_t offset, std::uint64_t value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  };
  write_long(168, info.busy_us);
  write_long(176, info.receive_window_limited_us);
  write_long(184, info.send_buffer_limited_us);
  return bytes;
}

template <typename T>
Bytes bytes_of(const T& value) {
  Bytes bytes;
  append(bytes, value);
  return bytes;
}

/// A socket as the kernel reports it.
struct FakeSocket {
  std::string address = "0.0.0.0";
  std::uint16_t port = 80;
  kernel::TcpState state = kernel::TcpState::listen;
  std::uint32_t device = 0;
  std::uint64_t cookie = 0;  ///< 0: unique
  std::uint32_t receive_queue = 0;
  std::uint32_t send_queue = 0;
  std::uint8_t timer = 0;
  std::uint32_t receive_limit = 0;
  int drops = -1;            ///< -1: no INET_DIAG_SKMEMINFO
  std::uint64_t cgroup = 0;  ///< 0: no INET_DIAG_CGROUP_ID
  bool v6_only = false;
  bool full = false;  ///< has INET_DIAG_SHUTDOWN even if not in LISTEN
  std::string peer_address{};
  std::uint16_t peer_port = 0;
  std::uint32_t inode = 0;
  std::uint8_t retransmissions = 0;
  std::optional<std::uint32_t> last_sent_ms{};  ///< std::nullopt: no INET_DIAG_INFO
  std::optional<kernel::TcpInfo> info{};        ///< instead of last_sent_ms
  std::uint32_t timer_ms = 0;

  bool is_v6() const { return address.find(':') != std::string::npos; }

  inet_diag_msg message() const {
    inet_diag_msg message{};
    message.idiag_family = is_v6() ? AF_INET6 : AF_INET;
    message.idiag_state = static_cast<std::uint8_t>(state);
    message.idiag_timer = timer;
    message.id.idiag_sport = htons(port);
    message.id.idiag_dport = htons(peer_port);
    inet_pton(message.idiag_family, address.c_str(), message.id.idiag_src);
    inet_pton(message.idiag_family, peer_address.c_str(), message.id.idiag_dst);
    message.id.idiag_if = device;
    message.id.idiag_cookie[0] = static_cast<std::uint32_t>(cookie);
    message.id.idiag_cookie[1] = static_cast<std::uint32_t>(cookie >> 32);
    message.idiag_rqueue = receive_queue;
    message.idiag_wqueue = send_queue;
    message.idiag_inode = inode;
    message.idiag_retrans = retransmissions;
    message.idiag_expires = timer_ms;
    return message;
  }

  Bytes payload() const {
    Bytes bytes = bytes_of(message());
    if (full || state == kernel::TcpState::listen) {
      append_attribute(bytes, INET_DIAG_SHUTDOWN, Bytes(1));
    }
    if (drops >= 0) {
      append_attribute(bytes, INET_DIAG_SKMEMINFO,
                       memory_info(static_cast<std::uint32_t>(drops), receive_limit));
    }
    if (cgroup != 0) {
      append_attribute(bytes, INET_DIAG_CGROUP_ID, bytes_of(cgroup));
    }
    if (is_v6() && state == kernel::TcpState::listen) {
      append_attribute(bytes, INET_DIAG_SKV6ONLY, bytes_of(std::uint8_t{v6_only}));
    }
    if (info) {
      append_attribute(bytes, INET_DIAG_INFO, tcp_info_bytes(*info));
    } else if (last_sent_ms) {
      append_attribute(bytes, INET_DIAG_INFO, tcp_info_bytes({.last_sent_ms = *last_sent_ms}));
    }
    return bytes;
  }
};

struct FakeUnixSocket {
  std::string name{};
  kernel::TcpState state = kernel::TcpState::listen;
  std::uint8_t type = SOCK_STREAM;
  std::uint32_t receive_queue = 0;
  std::uint32_t send_queue = 0;
  std::optional<std::uint32_t> uid = 0U;  ///< std::nullopt: no UNIX_DIAG_UID
  std::uint32_t inode = 0;
  std::optional<std::uint32_t> peer_inode{};  ///< std::nullopt: no UNIX_DIAG_PEER

  Bytes payload(std::uint32_t show = ~0U) const {
    unix_diag_msg message{};
    message.udiag_family = AF_UNIX;
    message.udiag_type = type;
    message.udiag_state = static_cast<std::uint8_t>(state);
    message.udiag_ino = inode;
    Bytes bytes = bytes_of(message);
    if (!name.empty() && (show & UDIAG_SHOW_NAME) != 0) {
      const auto raw = std::as_bytes(std::span(name));
      append_attribute(bytes, UNIX_DIAG_NAME, Bytes(raw.begin(), raw.end()));
    }
    if ((show & UDIAG_SHOW_RQLEN) != 0) {
      append_attribute(bytes, UNIX_DIAG_RQLEN,
                       bytes_of(unix_diag_rqlen{receive_queue, send_queue}));
    }
    if (peer_inode && (show & UDIAG_SHOW_PEER) != 0) {
      append_attribute(bytes, UNIX_DIAG_PEER, bytes_of(*peer_inode));
    }
    if (uid && (show & UDIAG_SHOW_UID) != 0) {
      append_attribute(bytes, UNIX_DIAG_UID, bytes_of(*uid));
    }
    return bytes;
  }
};

constexpr std::uint32_t replay_port_id = 4711;
constexpr std::uint32_t replay_sequence = 1;

inline Bytes message(std::uint16_t type, const Bytes& payload,
                     std::uint32_t sequence = replay_sequence, std::uint16_t flags = NLM_F_MULTI,
                     std::uint32_t port_id = replay_port_id) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  header.nlmsg_pid = port_id;
  Bytes bytes = bytes_of(header);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  pad(bytes);
  return bytes;
}

inline Bytes data_message(const Bytes& payload) { return message(TCPDIAG_GETSOCK, payload); }
inline Bytes done_message(int code = 0) { return message(NLMSG_DONE, bytes_of(code)); }
inline Bytes error_message(int code) {
  nlmsgerr error{};
  error.error = code;
  return message(NLMSG_ERROR, bytes_of(error));
}

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Returns one recorded datagram for each receive().
class ReplayNetlink : public kernel::Netlink {
 public:
  explicit ReplayNetlink(std::deque<Bytes> datagrams) : datagrams_(std::move(datagrams)) {}

  void send(std::span<const std::byte> /*request*/) override {}

  std::size_t receive(std::span<std::byte> buffer, const kernel::Deadline& deadline) override {
    deadline.check();
    if (datagrams_.empty()) {
      throw kernel::DeadlineExceeded();
    }
    const Bytes datagram = std::move(datagrams_.front());
    datagrams_.pop_front();
    std::ranges::copy(datagram, buffer.begin());
    return datagram.size();
  }

  std::uint32_t port_id() const override { return replay_port_id; }
  std::uint32_t sequence() const override { return replay_sequence; }

 private:
  std::deque<Bytes> datagrams_;
};

/// Replies to dumps as inet_diag, udp_diag, unix_diag, packet_diag, rtnetlink and nfnetlink would
/// with these sockets, queueing disciplines and counters.
class FakeKernel {
 public:
  std::vector<FakeSocket> sockets;
  std::vector<FakeSocket> udp_sockets{};
  std::vector<FakeUnixSocket> unix_sockets{};
  std::vector<Bytes> packet_sockets{};   ///< payloads
  std::vector<Bytes> qdiscs{};           ///< payloads
  std::vector<Bytes> conntrack_stats{};  ///< payloads
  int netfilter_error = 0;               ///< the answer to requests of NETLINK_NETFILTER
  int dumps = 0;
  /// Dumps of any of these states time out.
  std::uint32_t timed_out_states = 0;

  kernel::NetlinkFactory factory() {
    return [this](int protocol) { return std::make_unique<Connection>(*this, protocol); };
  }

 private:
  class Connection : public ReplayNetlink {
   public:
    Connection(FakeKernel& owner, int protocol)
        : ReplayNetlink({}), kernel_(owner), protocol_(protocol) {}

    void send(std::span<const std::byte> request) override {
      nlmsghdr header{};
      std::memcpy(&header, request.data(), sizeof header);
      ++kernel_.dumps;
      const auto payload = request.subspan(sizeof header);
      static_cast<ReplayNetlink&>(*this) = ReplayNetlink(reply(header.nlmsg_type, payload));
    }

   private:
    std::deque<Bytes> reply(std::uint16_t type, std::span<const std::byte> payload) const {
      if (protocol_ == NETLINK_ROUTE) {
        return messages(RTM_NEWQDISC, kernel_.qdiscs);
      }
      if (protocol_ == NETLINK_NETFILTER) {
        return kernel_.netfilter_error != 0
                   ? std::deque<Bytes>{error_message(kernel_.netfilter_error)}
                   : messages(type, kernel_.conntrack_stats);
      }
      if (type == TCPDIAG_GETSOCK) {
        return tcp(payload);
      }
      switch (std::to_integer<int>(payload.front())) {
        case AF_UNIX:
          return local(payload);
        case AF_PACKET:
          return messages(SOCK_DIAG_BY_FAMILY, kernel_.packet_sockets);
        default:
          return udp(payload);
      }
    }

    static std::deque<Bytes> messages(std::uint16_t type, const std::vector<Bytes>& payloads) {
      std::deque<Bytes> datagrams;
      for (const Bytes& payload : payloads) {
        datagrams.push_back(message(type, payload));
      }
      datagrams.push_back(done_message());
      return datagrams;
    }

    /// Returns the program of INET_DIAG_REQ_BYTECODE, the only attribute of a request.
    static Bytecode filter_of(std::span<const std::byte> attributes) {
      const auto program = attributes.subspan(std::min(attributes.size(), sizeof(nlattr)));
      return {program.begin(), program.end()};
    }

    std::deque<Bytes> tcp(std::span<const std::byte> payload) const {
      inet_diag_req request{};
      std::memcpy(&request, payload.data(), sizeof request);
      const Bytecode filter = filter_of(payload.subspan(sizeof request));
      std::deque<Bytes> datagrams;
      std::uint64_t next_cookie = 1'000'000;
      for (FakeSocket socket : kernel_.sockets) {
        socket.cookie = socket.cookie != 0 ? socket.cookie : next_cookie++;
        if ((request.idiag_ext & (1U << (INET_DIAG_INFO - 1))) == 0) {
          socket.last_sent_ms.reset();
        }
        const SocketEnds ends{{}, socket.port, {}, socket.peer_port};  // filters have ports only
        if ((request.idiag_states & kernel::mask(socket.state)) != 0 && passes(filter, ends)) {
          datagrams.push_back(data_message(socket.payload()));
        }
      }
      if ((request.idiag_states & kernel_.timed_out_states) == 0) {
        datagrams.push_back(done_message());
      }
      return datagrams;
    }

    std::deque<Bytes> udp(std::span<const std::byte> payload) const {
      std::deque<Bytes> datagrams;
      std::uint64_t next_cookie = 2'000'000;
      for (FakeSocket socket : kernel_.udp_sockets) {
        socket.cookie = socket.cookie != 0 ? socket.cookie : next_cookie++;
        if (std::byte{socket.message().idiag_family} == payload.front()) {
          datagrams.push_back(message(SOCK_DIAG_BY_FAMILY, socket.payload()));
        }
      }
      datagrams.push_back(done_message());
      return datagrams;
    }

    std::deque<Bytes> local(std::span<const std::byte> payload) const {
      unix_diag_req request{};
      std::memcpy(&request, payload.data(), sizeof request);
      std::deque<Bytes> datagrams;
      for (const FakeUnixSocket& socket : kernel_.unix_sockets) {
        if ((request.udiag_states & kernel::mask(socket.state)) != 0) {
          datagrams.push_back(message(SOCK_DIAG_BY_FAMILY, socket.payload(request.udiag_show)));
        }
      }
      datagrams.push_back(done_message());
      return datagrams;
    }

    FakeKernel& kernel_;
    int protocol_;
  };
};

}  // namespace inetdiag::testing
