// A reimplementation of INET_DIAG_REQ_BYTECODE from net/ipv4/inet_diag.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <linux/inet_diag.h>
#include <sys/socket.h>

#include "collectors/kernel/netlink/inet_diag.h"

namespace inetdiag::testing {

using Bytecode = std::vector<std::byte>;

template <typename T>
T value_at(const Bytecode& code, std::size_t offset) {
  if (offset + sizeof(T) > code.size()) {
    throw std::out_of_range("truncated bytecode");
  }
  T value{};
  std::memcpy(&value, code.data() + offset, sizeof value);
  return value;
}

inline bool compares_ports(std::uint8_t code) {
  return code == INET_DIAG_BC_S_GE || code == INET_DIAG_BC_S_LE || code == INET_DIAG_BC_D_GE ||
         code == INET_DIAG_BC_D_LE;
}

/// inet_diag_bc_audit(): operations and operands lie within the program, and jumps lead forward to
/// an operation, to the end, or one operation past it. Returns the first error, or an empty string.
inline std::string audit_error(const Bytecode& code) {
  std::set<std::size_t> operations;
  std::set<std::size_t> targets;
  std::size_t i = 0;
  while (i < code.size()) {
    operations.insert(i);
    const auto op = value_at<inet_diag_bc_op>(code, i);
    std::size_t min_step = sizeof op;
    if (op.code == INET_DIAG_BC_S_COND || op.code == INET_DIAG_BC_D_COND) {
      const auto host = value_at<inet_diag_hostcond>(code, i + sizeof op);
      const std::size_t bytes = host.family == AF_INET ? 4 : host.family == AF_INET6 ? 16 : 0;
      if (host.prefix_len > bytes * 8) {
        return "prefix longer than the address";
      }
      min_step += sizeof host + bytes;
    } else if (compares_ports(op.code)) {
      min_step += sizeof op;
    } else if (op.code != INET_DIAG_BC_JMP) {
      return "unknown operation";
    }
    const std::size_t left = code.size() - i;
    for (const std::size_t step : {std::size_t{op.yes}, std::size_t{op.no}}) {
      if (step < min_step || step % 4 != 0 || step > left + sizeof op) {
        return "misaligned jump, or jump out of the program";
      }
    }
    if (op.no < left) {
      targets.insert(i + op.no);
    }
    i += op.yes;
  }
  if (i != code.size()) {
    return "last operation does not end with the program";
  }
  for (const std::size_t target : targets) {
    if (!operations.contains(target)) {
      return "jump target is not an operation";
    }
  }
  return "";
}

struct SocketEnds {
  kernel::InetAddress local;
  std::uint16_t local_port;
  kernel::InetAddress peer;
  std::uint16_t peer_port;
};

/// bitstring_match()
inline bool has_prefix(const std::uint8_t* bytes, const Bytecode& code, std::size_t wanted,
                       int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    const auto byte =
        std::to_integer<std::uint8_t>(code.at(wanted + static_cast<std::size_t>(bit / 8)));
    if (((bytes[bit / 8] ^ byte) & mask) != 0) {
      return false;
    }
  }
  return true;
}

/// The comparisons of inet_diag_bc_run().
inline bool holds(const Bytecode& code, std::size_t i, const SocketEnds& ends) {
  const auto op = value_at<inet_diag_bc_op>(code, i);
  if (compares_ports(op.code)) {
    const std::uint16_t operand = value_at<inet_diag_bc_op>(code, i + sizeof op).no;
    const bool is_local = op.code == INET_DIAG_BC_S_GE || op.code == INET_DIAG_BC_S_LE;
    const std::uint16_t port = is_local ? ends.local_port : ends.peer_port;
    const bool is_minimum = op.code == INET_DIAG_BC_S_GE || op.code == INET_DIAG_BC_D_GE;
    return is_minimum ? port >= operand : port <= operand;
  }
  const auto host = value_at<inet_diag_hostcond>(code, i + sizeof op);
  const bool is_local = op.code == INET_DIAG_BC_S_COND;
  const kernel::InetAddress& end = is_local ? ends.local : ends.peer;
  if (host.port != -1 && host.port != (is_local ? ends.local_port : ends.peer_port)) {
    return false;
  }
  const std::size_t wanted = i + sizeof op + sizeof host;
  if (host.family != AF_UNSPEC && host.family != end.family) {
    return end.family == AF_INET6 && host.family == AF_INET && end.unmapped() &&
           has_prefix(end.bytes.data() + 12, code, wanted, host.prefix_len);
  }
  return has_prefix(end.bytes.data(), code, wanted, host.prefix_len);
}

/// inet_diag_bc_run()
inline bool passes(const Bytecode& code, const SocketEnds& ends) {
  auto left = static_cast<std::int64_t>(code.size());
  while (left > 0) {
    const std::size_t i = code.size() - static_cast<std::size_t>(left);
    const auto op = value_at<inet_diag_bc_op>(code, i);
    const bool yes = op.code != INET_DIAG_BC_JMP && holds(code, i, ends);
    left -= yes ? op.yes : op.no;
  }
  return left == 0;
}

}  // namespace inetdiag::testing
