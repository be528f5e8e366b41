#include "collectors/kernel/netlink/netlink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <limits>
#include <system_error>
#include <vector>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <poll.h>

namespace inetdiag::kernel {
namespace {

// The largest datagram of a dump (net/netlink/af_netlink.c, netlink_dump); MNL_SOCKET_BUFFER_SIZE
// is smaller.
constexpr std::size_t receive_buffer_bytes = 1U << 15U;

std::system_error failure(int error, const char* what) {
  return {error, std::generic_category(), what};
}

class SockDiagSocket final : public Netlink {
 public:
  SockDiagSocket() : socket_(mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC)) {
    if (!socket_) {
      throw failure(errno, "cannot open NETLINK_SOCK_DIAG socket");
    }
    if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
      throw failure(errno, "cannot bind NETLINK_SOCK_DIAG socket");
    }
  }

  void send(std::span<const std::byte> request) override {
    if (mnl_socket_sendto(socket_.get(), request.data(), request.size()) < 0) {
      throw failure(errno, "cannot send sock_diag request");
    }
  }

  std::size_t receive(std::span<std::byte> buffer, const Deadline& deadline) override {
    pollfd readable{mnl_socket_get_fd(socket_.get()), POLLIN, 0};
    while (true) {
      deadline.check();
      const int ready = ::poll(&readable, 1, poll_timeout_ms);
      if (ready < 0 && errno != EINTR) {
        throw failure(errno, "cannot poll NETLINK_SOCK_DIAG socket");
      }
      if (ready > 0) {
        break;
      }
    }
    const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
    if (length < 0) {
      throw failure(errno, "cannot receive sock_diag message");
    }
    return static_cast<std::size_t>(length);
  }

  std::uint32_t port_id() const override { return mnl_socket_get_portid(socket_.get()); }

 private:
  // The kernel fills the receive queue within send() and recv(), so poll() rarely waits. The
  // timeout bounds the delay until a stop request is noticed.
  static constexpr int poll_timeout_ms = 100;

  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  std::unique_ptr<mnl_socket, Close> socket_;
};

/// The state that the callbacks of one datagram share. Exceptions must not cross libmnl, which is
/// C.
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

/// Throws std::system_error (EBADMSG) unless the datagram consists of complete messages.
/// mnl_nlmsg_ok() treats lengths of 2^31 and more as negative and accepts them.
void check_message_lengths(std::span<const std::byte> datagram) {
  while (!datagram.empty()) {
    nlmsghdr header{};
    if (datagram.size() < sizeof header) {
      throw failure(EBADMSG, "truncated sock_diag message");
    }
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) {
      throw failure(EBADMSG, "sock_diag message with invalid length");
    }
    const std::size_t step = (std::size_t{header.nlmsg_len} + 3) & ~std::size_t{3};
    datagram = datagram.subspan(std::min(step, datagram.size()));
  }
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

std::unique_ptr<Netlink> open_sock_diag() { return std::make_unique<SockDiagSocket>(); }

void dump(const NetlinkFactory& open, std::uint16_t type, std::span<const std::byte> payload,
          const Deadline& deadline, const std::function<void(std::span<const std::byte>)>& each) {
  constexpr std::uint32_t sequence = 1;
  auto control = control_callbacks();
  const std::unique_ptr<Netlink> netlink = open();
  netlink->send(dump_request(type, sequence, payload));

  alignas(nlmsghdr) std::array<std::byte, receive_buffer_bytes> buffer{};
  int result = MNL_CB_OK;
  while (result != MNL_CB_STOP) {
    deadline.check();
    const std::size_t length = netlink->receive(buffer, deadline);
    check_message_lengths(std::span(buffer).first(length));
    DumpState state{.each = each};
    result = mnl_cb_run2(buffer.data(), length, sequence, netlink->port_id(), on_data, &state,
                         control.data(), control.size());
    if (state.thrown) {
      std::rethrow_exception(state.thrown);
    }
    if (result < 0) {
      const int error = state.error != 0 ? state.error : errno;
      const bool is_missing = error == ENOENT || error == EOPNOTSUPP;
      throw failure(error, is_missing ? "kernel has no sock_diag support for these sockets "
                                        "(modprobe inet_diag tcp_diag udp_diag unix_diag)"
                                      : "sock_diag dump failed");
    }
  }
}

}  // namespace inetdiag::kernel
