// The question to the kernel that every socket dump shares: open, ask, stream, check, end.
// netlink(7), sock_diag(7), net/netlink/af_netlink.c (netlink_dump).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "collectors/kernel/base/deadline.h"

namespace inetdiag::kernel {

/// The transport of one question: the kernel's NETLINK_SOCK_DIAG socket, or recorded answers.
class Netlink {
 public:
  virtual ~Netlink() = default;

  /// Sends one request. Throws std::system_error.
  virtual void send(std::span<const std::byte> request) = 0;

  /// Waits for the next datagram and returns its length in bytes. Throws std::system_error, or
  /// DeadlineExceeded where none comes in time.
  virtual std::size_t receive(std::span<std::byte> buffer, const Deadline& deadline) = 0;

  /// The address that the kernel answers to (nlmsg_pid).
  virtual std::uint32_t port_id() const = 0;
};

using NetlinkFactory = std::function<std::unique_ptr<Netlink>()>;

/// A NETLINK_SOCK_DIAG socket in the network namespace of the calling thread. Needs no privilege.
/// Throws std::system_error.
std::unique_ptr<Netlink> open_sock_diag();

/// Sends a dump request of `type` with `payload` over a new transport, and hands the payload of
/// each answer to `each` while the dump streams in. Returns when the kernel says that the dump is
/// complete. Throws std::system_error with the kernel's error (ENOENT, EOPNOTSUPP: this kernel
/// has no such diag module), EBADMSG for a malformed answer, DeadlineExceeded, and whatever `each`
/// throws.
void dump(const NetlinkFactory& open, std::uint16_t type, std::span<const std::byte> payload,
          const Deadline& deadline, const std::function<void(std::span<const std::byte>)>& each);

}  // namespace inetdiag::kernel
