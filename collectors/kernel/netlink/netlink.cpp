#include "collectors/kernel/netlink/netlink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

#include "collectors/kernel/base/random.h"

namespace inetdiag::kernel {
namespace {

// The largest datagram of a dump (net/netlink/af_netlink.c, netlink_dump); MNL_SOCKET_BUFFER_SIZE
// is smaller.
constexpr std::size_t receive_buffer_bytes = 1U << 15U;

std::system_error netlink_failure(int error, const std::string& what) {
  return {error, std::generic_category(), what};
}

std::string protocol_name(int protocol) {
  switch (protocol) {
    case NETLINK_ROUTE:
      return "NETLINK_ROUTE";
    case NETLINK_NETFILTER:
      return "NETLINK_NETFILTER";
    default:
      return "NETLINK_SOCK_DIAG";
  }
}

class NetlinkSocket final : public Netlink {
 public:
  explicit NetlinkSocket(int protocol)
      : name_(protocol_name(protocol)), socket_(mnl_socket_open2(protocol, SOCK_CLOEXEC)) {
    if (!socket_) {
      throw netlink_failure(errno, "cannot open " + name_ + " socket");
    }
    if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
      throw netlink_failure(errno, "cannot bind " + name_ + " socket");
    }
    // The kernel refuses messages from other processes to a socket that is connected to the kernel
    // (net/netlink/af_netlink.c, netlink_getsockbyportid), so they cannot fill the receive queue.
    const sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
    if (::connect(fd(), reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0) {
      throw netlink_failure(errno, "cannot connect " + name_ + " socket");
    }
  }

  void send(std::span<const std::byte> request) override {
    if (mnl_socket_sendto(socket_.get(), request.data(), request.size()) < 0) {
      throw netlink_failure(errno, "cannot send " + name_ + " request");
    }
  }

  std::size_t receive(std::span<std::byte> buffer, const Deadline& deadline) override {
    while (true) {
      wait_until_readable(deadline);
      sockaddr_nl sender{};
      socklen_t sender_length = sizeof sender;
      // With MSG_TRUNC the result is the length of the datagram, even beyond the buffer.
      const ssize_t length =
          ::recvfrom(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC,
                     reinterpret_cast<sockaddr*>(&sender), &sender_length);
      if (length < 0) {
        throw netlink_failure(errno, "cannot receive " + name_ + " message");
      }
      // Another process may have sent it between bind() and connect().
      const bool is_from_kernel = sender_length == sizeof sender && sender.nl_pid == 0;
      if (!is_from_kernel) {
        continue;
      }
      if (static_cast<std::size_t>(length) > buffer.size()) {
        throw netlink_failure(EMSGSIZE, name_ + " datagram is larger than the receive buffer");
      }
      return static_cast<std::size_t>(length);
    }
  }

  std::uint32_t port_id() const override { return mnl_socket_get_portid(socket_.get()); }
  std::uint32_t sequence() const override { return sequence_; }

 private:
  int fd() const { return mnl_socket_get_fd(socket_.get()); }

  void wait_until_readable(const Deadline& deadline) const {
    // The kernel fills the receive queue within send() and recv(), so poll() rarely waits. The
    // timeout bounds the delay until a stop request is noticed.
    constexpr int poll_timeout_ms = 100;
    pollfd readable{fd(), POLLIN, 0};
    int ready = 0;
    while (ready <= 0) {
      deadline.check();
      ready = ::poll(&readable, 1, poll_timeout_ms);
      if (ready < 0 && errno != EINTR) {
        throw netlink_failure(errno, "cannot poll " + name_ + " socket");
      }
    }
  }

  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  const std::string name_;
  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = static_cast<std::uint32_t>(random_number());
};

/// The state that the callbacks share. Exceptions must not cross libmnl, which is C.
struct DumpState {
  const std::function<void(std::span<const std::byte>)>& each;
  int error = 0;
  std::exception_ptr thrown{};

  int fail(int code) {
    error = code;
    return MNL_CB_ERROR;
  }
};

DumpState& state_of(void* data) { return *static_cast<DumpState*>(data); }

std::span<const std::byte> payload_of(const nlmsghdr* message) {
  return {static_cast<const std::byte*>(mnl_nlmsg_get_payload(message)),
          mnl_nlmsg_get_payload_len(message)};
}

int on_data(const nlmsghdr* message, void* data) {
  DumpState& state = state_of(data);
  try {
    state.each(payload_of(message));
    return MNL_CB_OK;
  } catch (...) {
    state.thrown = std::current_exception();
    return MNL_CB_ERROR;
  }
}

int on_noop(const nlmsghdr* /*message*/, void* /*data*/) { return MNL_CB_OK; }

/// Returns the errno at the start of NLMSG_ERROR, or of NLMSG_DONE if the dump failed midway. 0 is
/// success.
int leading_errno(std::span<const std::byte> payload) {
  int code = 0;
  if (payload.size() < sizeof code) {
    return 0;
  }
  std::memcpy(&code, payload.data(), sizeof code);
  return code == std::numeric_limits<int>::min() ? EBADMSG : std::abs(code);
}

int on_error(const nlmsghdr* message, void* data) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(nlmsgerr)) {
    return state_of(data).fail(EBADMSG);
  }
  const int code = leading_errno(payload_of(message));
  // An acknowledgement instead of a dump is never followed by NLMSG_DONE.
  return state_of(data).fail(code == 0 ? EBADMSG : code);
}

int on_done(const nlmsghdr* message, void* data) {
  const int code = leading_errno(payload_of(message));
  return code == 0 ? MNL_CB_STOP : state_of(data).fail(code);
}

int on_overrun(const nlmsghdr* /*message*/, void* data) { return state_of(data).fail(ENOBUFS); }

/// Callbacks by message type below NLMSG_MIN_TYPE. libmnl's defaults treat an NLMSG_DONE that
/// carries an error as success.
constexpr std::array<mnl_cb_t, NLMSG_MIN_TYPE> control_callbacks() {
  std::array<mnl_cb_t, NLMSG_MIN_TYPE> callbacks{};
  callbacks.fill(on_noop);
  callbacks[NLMSG_ERROR] = on_error;
  callbacks[NLMSG_DONE] = on_done;
  callbacks[NLMSG_OVERRUN] = on_overrun;
  return callbacks;
}

struct Message {
  nlmsghdr header{};
  std::span<const std::byte> bytes{};  ///< including the header
};

/// Removes the first message from a datagram and returns it. Throws std::system_error (EBADMSG) if
/// it is malformed. mnl_nlmsg_ok() treats lengths of 2^31 and more as negative and accepts them.
Message take_message(std::span<const std::byte>& datagram) {
  Message message;
  if (datagram.size() < sizeof message.header) {
    throw netlink_failure(EBADMSG, "truncated netlink message");
  }
  std::memcpy(&message.header, datagram.data(), sizeof message.header);
  const std::size_t length = message.header.nlmsg_len;
  if (length < sizeof message.header || length > datagram.size()) {
    throw netlink_failure(EBADMSG, "netlink message with invalid length");
  }
  message.bytes = datagram.first(length);
  const std::size_t aligned = (length + 3) & ~std::size_t{3};
  datagram = datagram.subspan(std::min(aligned, datagram.size()));
  return message;
}

std::vector<std::byte> dump_request(std::uint16_t type, std::uint32_t sequence,
                                    std::span<const std::byte> payload) {
  nlmsghdr header{};
  static_assert(sizeof header % alignof(nlmsghdr) == 0);
  std::vector<std::byte> request(sizeof header + payload.size());
  header.nlmsg_len = static_cast<std::uint32_t>(request.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header.nlmsg_seq = sequence;
  std::memcpy(request.data(), &header, sizeof header);
  std::ranges::copy(payload, request.begin() + sizeof header);
  return request;
}

}  // namespace

void check_kept_sockets(std::size_t count, std::string_view sockets) {
  if (count > max_kept_sockets) {
    throw std::length_error("more than " + std::to_string(max_kept_sockets) + " " +
                            std::string(sockets) + " in this network namespace");
  }
}

std::unique_ptr<Netlink> open_netlink(int protocol) {
  return std::make_unique<NetlinkSocket>(protocol);
}

void dump(const NetlinkFactory& open, std::uint16_t type, std::span<const std::byte> payload,
          const Deadline& deadline, const std::function<void(std::span<const std::byte>)>& each) {
  dump(*open(NETLINK_SOCK_DIAG), type, payload, deadline, each);
}

void dump(Netlink& netlink, std::uint16_t type, std::span<const std::byte> payload,
          const Deadline& deadline, const std::function<void(std::span<const std::byte>)>& each) {
  auto control = control_callbacks();
  const std::uint32_t sequence = netlink.sequence();
  const std::uint32_t port_id = netlink.port_id();
  netlink.send(dump_request(type, sequence, payload));

  alignas(nlmsghdr) std::array<std::byte, receive_buffer_bytes> buffer{};
  std::span<const std::byte> unread;
  DumpState state{.each = each};
  int result = MNL_CB_OK;
  while (result != MNL_CB_STOP) {
    if (unread.empty()) {
      deadline.check();
      unread = std::span(buffer).first(netlink.receive(buffer, deadline));
      continue;
    }
    const Message message = take_message(unread);
    if (message.header.nlmsg_seq != sequence || message.header.nlmsg_pid != port_id) {
      continue;
    }
    result = mnl_cb_run2(message.bytes.data(), message.bytes.size(), sequence, port_id, on_data,
                         &state, control.data(), control.size());
    if (state.thrown) {
      std::rethrow_exception(state.thrown);
    }
    if (result < 0) {
      const int error = state.error != 0 ? state.error : errno;
      const bool is_sock_diag = type == SOCK_DIAG_BY_FAMILY || type == TCPDIAG_GETSOCK;
      const bool is_missing = is_sock_diag && (error == ENOENT || error == EOPNOTSUPP);
      throw netlink_failure(error, is_missing ? "kernel has no sock_diag support for these sockets "
                                                "(modprobe inet_diag tcp_diag udp_diag unix_diag)"
                                              : "netlink dump failed");
    }
  }
}

}  // namespace inetdiag::kernel
