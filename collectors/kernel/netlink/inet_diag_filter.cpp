#include "collectors/kernel/netlink/inet_diag_filter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

using Bytes = std::vector<std::byte>;

constexpr int any_port = -1;
constexpr std::uint8_t v4_bits = 32;
constexpr std::uint8_t v6_bits = 128;
constexpr std::uint8_t mapped_bits = v6_bits - v4_bits;

// inet_diag_bc_run() accepts a socket if the bytecode ends exactly at its end, and rejects it if a
// jump leads one operation past the end.
constexpr std::size_t reject_jump = sizeof(inet_diag_bc_op);

// Jumps and the length of the attribute are 16 bits wide.
constexpr std::size_t max_bytecode_bytes =
    std::numeric_limits<std::uint16_t>::max() - sizeof(nlattr) - reject_jump;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// A comparison of one end of a socket. `operands` follow its operation.
struct Condition {
  std::uint8_t code = 0;
  Bytes operands{};

  std::size_t size() const { return sizeof(inet_diag_bc_op) + operands.size(); }
};

/// Compares address and port (INET_DIAG_BC_S_COND and INET_DIAG_BC_D_COND).
Condition host_condition(std::uint8_t code, const inet_diag_hostcond& host,
                         std::span<const std::uint8_t> address = {}) {
  Condition condition{.code = code};
  append(condition.operands, host);
  for (const std::uint8_t byte : address) {
    condition.operands.push_back(std::byte{byte});
  }
  return condition;
}

/// Compares a port (INET_DIAG_BC_S_GE and others), which has the place of a jump.
Condition port_condition(std::uint8_t code, std::uint16_t port) {
  Condition condition{.code = code};
  append(condition.operands, inet_diag_bc_op{.code = 0, .yes = 0, .no = port});
  return condition;
}

/// A conjunction.
using Alternative = std::vector<Condition>;

struct PortOperations {
  std::uint8_t equal, at_least, at_most;
};
constexpr PortOperations local_port = {INET_DIAG_BC_S_COND, INET_DIAG_BC_S_GE, INET_DIAG_BC_S_LE};
constexpr PortOperations peer_port = {INET_DIAG_BC_D_COND, INET_DIAG_BC_D_GE, INET_DIAG_BC_D_LE};

Alternative port_conditions(const PortOperations& operations, const PortRange& ports) {
  if (ports.first == ports.last) {
    return {host_condition(operations.equal,
                           {.family = AF_UNSPEC, .prefix_len = 0, .port = ports.first})};
  }
  return {port_condition(operations.at_least, ports.first),
          port_condition(operations.at_most, ports.last)};
}

Alternative peer_conditions(const AddressPrefix& network) {
  const std::size_t bytes = network.address.family == AF_INET ? v4_bits / 8 : v6_bits / 8;
  return {host_condition(
      INET_DIAG_BC_D_COND,
      {.family = network.address.family, .prefix_len = network.prefix, .port = any_port},
      std::span(network.address.bytes).first(bytes))};
}

void append_operation(Bytes& code, std::uint8_t operation, std::size_t yes, std::size_t no) {
  append(code, inet_diag_bc_op{.code = operation,
                               .yes = static_cast<std::uint8_t>(yes),
                               .no = static_cast<std::uint16_t>(no)});
}

std::size_t size_of(const Alternative& alternative) {
  std::size_t size = 0;
  for (const Condition& condition : alternative) {
    size += condition.size();
  }
  return size;
}

/// A disjunction. Each alternative is followed by a jump to the end of the group, which a false
/// condition skips; if the last one is false, the socket is rejected.
using Group = std::vector<Alternative>;

std::size_t size_of(const Group& group) {
  std::size_t size = 0;
  for (const Alternative& alternative : group) {
    size += size_of(alternative) + sizeof(inet_diag_bc_op);
  }
  return group.empty() ? 0 : size - sizeof(inet_diag_bc_op);
}

/// `remaining` is the number of bytes of code after the group.
void append_group(Bytes& code, const Group& group, std::size_t remaining) {
  std::size_t left = size_of(group);
  for (const Alternative& alternative : group) {
    std::size_t left_in_alternative = size_of(alternative);
    const bool is_last = left == left_in_alternative;
    for (const Condition& condition : alternative) {
      const std::size_t no =
          left_in_alternative + (is_last ? remaining + reject_jump : sizeof(inet_diag_bc_op));
      append_operation(code, condition.code, condition.size(), no);
      code.insert(code.end(), condition.operands.begin(), condition.operands.end());
      left_in_alternative -= condition.size();
      left -= condition.size();
    }
    if (!is_last) {
      append_operation(code, INET_DIAG_BC_JMP, sizeof(inet_diag_bc_op), left);
      left -= sizeof(inet_diag_bc_op);
    }
  }
}

template <typename Request>
Bytes payload_of(const Request& request, const Bytes& bytecode) {
  Bytes payload;
  append(payload, request);
  if (!bytecode.empty()) {
    append(payload, nlattr{.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + bytecode.size()),
                           .nla_type = INET_DIAG_REQ_BYTECODE});
    payload.insert(payload.end(), bytecode.begin(), bytecode.end());
  }
  return payload;
}

}  // namespace

std::optional<AddressPrefix> parse_address_prefix(std::string_view text) {
  const bool has_prefix = text.find('/') != std::string_view::npos;
  const std::string address(cut(text, '/'));
  AddressPrefix network;
  network.address.family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  // inet_pton() stops at a NUL.
  if (address.find('\0') != std::string::npos ||
      inet_pton(network.address.family, address.c_str(), network.address.bytes.data()) != 1) {
    return std::nullopt;
  }
  const std::uint8_t bits = network.address.family == AF_INET ? v4_bits : v6_bits;
  const auto prefix = has_prefix ? to_number<std::uint8_t>(text) : bits;
  if (!prefix || *prefix > bits) {
    return std::nullopt;
  }
  network.prefix = *prefix;
  if (const auto v4 = network.address.unmapped(); v4 && network.prefix >= mapped_bits) {
    return AddressPrefix{*v4, static_cast<std::uint8_t>(network.prefix - mapped_bits)};
  }
  return network;
}

Bytes bytecode_of(const InetFilter& filter) {
  Group ports;
  for (const PortRange& range : filter.ports) {
    ports.push_back(port_conditions(local_port, range));
    ports.push_back(port_conditions(peer_port, range));
  }
  Group peers;
  for (const AddressPrefix& network : filter.peers) {
    peers.push_back(peer_conditions(network));
  }
  if (size_of(ports) + size_of(peers) > max_bytecode_bytes) {
    throw std::invalid_argument("too many ports and peers for one inet_diag request");
  }
  Bytes code;
  append_group(code, ports, size_of(peers));
  append_group(code, peers, 0);
  return code;
}

InetRequest tcp_request(const InetFilter& filter, bool with_info) {
  const Bytes bytecode = bytecode_of(filter);
  const std::uint8_t extensions = with_info ? 1U << (INET_DIAG_INFO - 1) : 0;
  if (filter.family == AF_UNSPEC) {
    // Walks the sockets of both families once, but cannot select a single one.
    inet_diag_req request{};
    request.idiag_ext = extensions;
    request.idiag_states = filter.states;
    return {TCPDIAG_GETSOCK, payload_of(request, bytecode)};
  }
  inet_diag_req_v2 request{};
  request.sdiag_family = filter.family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_ext = extensions;
  request.idiag_states = filter.states;
  return {SOCK_DIAG_BY_FAMILY, payload_of(request, bytecode)};
}

}  // namespace inetdiag::kernel
