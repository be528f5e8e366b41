// Dumps over netlink: netlink(7), sock_diag(7), rtnetlink(7), nfnetlink
// (net/netfilter/nfnetlink.c), net/netlink/af_netlink.c (netlink_dump).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "collectors/kernel/base/deadline.h"

namespace inetdiag::kernel {

/// The transport of dumps, one after another: a netlink socket, or recorded datagrams in tests.
class Netlink {
 public:
  virtual ~Netlink() = default;

  /// Sends one request. Throws std::system_error.
  virtual void send(std::span<const std::byte> request) = 0;

  /// Waits for the next datagram and returns its length in bytes. Throws std::system_error and
  /// DeadlineExceeded.
  virtual std::size_t receive(std::span<std::byte> buffer, const Deadline& deadline) = 0;

  /// Returns the port ID of this end (nlmsg_pid in messages from the kernel).
  virtual std::uint32_t port_id() const = 0;

  /// Returns the sequence number of the request (nlmsg_seq in messages from the kernel).
  virtual std::uint32_t sequence() const = 0;
};

/// Opens the transport of a protocol: NETLINK_SOCK_DIAG, NETLINK_ROUTE or NETLINK_NETFILTER.
using NetlinkFactory = std::function<std::unique_ptr<Netlink>(int protocol)>;

/// Opens a netlink socket in the network namespace of the calling thread. Needs no privileges.
/// Throws std::system_error.
std::unique_ptr<Netlink> open_netlink(int protocol);

/// Sends a sock_diag request over a new transport and calls `each` with the payload of every
/// message as it arrives. Skips messages of other requests. Returns after NLMSG_DONE. Throws
/// std::system_error with the kernel's errno (ENOENT or EOPNOTSUPP: the diag module is missing) or
/// EBADMSG for a malformed message, DeadlineExceeded, and whatever `each` throws.
void dump(const NetlinkFactory& open, std::uint16_t type, std::span<const std::byte> payload,
          const Deadline& deadline, const std::function<void(std::span<const std::byte>)>& each);

/// Like dump() above, over an open transport. If it throws, the transport must not be used again:
/// the rest of the answer can follow.
void dump(Netlink& netlink, std::uint16_t type, std::span<const std::byte> payload,
          const Deadline& deadline, const std::function<void(std::span<const std::byte>)>& each);

/// The most sockets of one dump that are kept in memory, some 300 MB. Bounds what a local user who
/// opens many sockets can make the exporter allocate.
constexpr std::size_t max_kept_sockets = 1'000'000;

/// Throws std::length_error if `count` exceeds max_kept_sockets. `sockets` names them in the
/// message.
void check_kept_sockets(std::size_t count, std::string_view sockets);

}  // namespace inetdiag::kernel
