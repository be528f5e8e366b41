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

// A socket passes where the bytecode ends exactly at its end, and not where it ends one operation
// behind it.
constexpr std::size_t beyond = sizeof(inet_diag_bc_op);

// Jumps are 16 bits wide and so is the length of the attribute that holds all of it.
constexpr std::size_t max_bytecode_bytes =
    std::numeric_limits<std::uint16_t>::max() - sizeof(nlattr) - beyond;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// One question about one end of a socket: an operation and its operands, whose jumps are not set
/// yet.
struct Condition {
  std::uint8_t code = 0;
  std::uint8_t family = AF_UNSPEC;
  std::uint8_t prefix = 0;
  int port = any_port;
  std::span<const std::uint8_t> address{};

  std::size_t size() const {
    return sizeof(inet_diag_bc_op) + sizeof(inet_diag_hostcond) + address.size();
  }
};

Condition port_condition(std::uint8_t code, std::uint16_t port) {
  return {.code = code, .port = port};
}

Condition peer_condition(const AddressPrefix& block) {
  const std::size_t bytes = block.address.family == AF_INET ? v4_bits / 8 : v6_bits / 8;
  return {.code = INET_DIAG_BC_D_COND,
          .family = block.address.family,
          .prefix = block.prefix,
          .address = std::span(block.address.bytes).first(bytes)};
}

void append_operation(Bytes& code, std::uint8_t operation, std::size_t yes, std::size_t no) {
  append(code, inet_diag_bc_op{.code = operation,
                               .yes = static_cast<std::uint8_t>(yes),
                               .no = static_cast<std::uint16_t>(no)});
}

using Group = std::vector<Condition>;

/// One of the conditions must hold. Each is followed by a jump to the end of the group, which it
/// steps over where it does not hold; the last one leaves the bytecode instead.
std::size_t size_of(const Group& group) {
  std::size_t size = 0;
  for (const Condition& condition : group) {
    size += condition.size() + sizeof(inet_diag_bc_op);
  }
  return group.empty() ? 0 : size - sizeof(inet_diag_bc_op);
}

/// `behind` is what follows the group, in bytes.
void append_group(Bytes& code, const Group& group, std::size_t behind) {
  std::size_t left = size_of(group);
  for (const Condition& condition : group) {
    const bool is_last = left == condition.size();
    const std::size_t no =
        is_last ? left + behind + beyond : condition.size() + sizeof(inet_diag_bc_op);
    append_operation(code, condition.code, condition.size(), no);
    append(code,
           inet_diag_hostcond{
               .family = condition.family, .prefix_len = condition.prefix, .port = condition.port});
    for (const std::uint8_t byte : condition.address) {
      code.push_back(std::byte{byte});
    }
    left -= condition.size();
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
  AddressPrefix block;
  block.address.family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  // What follows a NUL would not be looked at.
  if (address.find('\0') != std::string::npos ||
      inet_pton(block.address.family, address.c_str(), block.address.bytes.data()) != 1) {
    return std::nullopt;
  }
  const std::uint8_t bits = block.address.family == AF_INET ? v4_bits : v6_bits;
  const auto prefix = has_prefix ? to_number<std::uint8_t>(text) : bits;
  if (!prefix || *prefix > bits) {
    return std::nullopt;
  }
  block.prefix = *prefix;
  if (const auto v4 = block.address.unmapped(); v4 && block.prefix >= mapped_bits) {
    return AddressPrefix{*v4, static_cast<std::uint8_t>(block.prefix - mapped_bits)};
  }
  return block;
}

Bytes bytecode_of(const InetFilter& filter) {
  Group ports;
  for (const std::uint16_t port : filter.ports) {
    ports.push_back(port_condition(INET_DIAG_BC_S_COND, port));
    ports.push_back(port_condition(INET_DIAG_BC_D_COND, port));
  }
  Group peers;
  for (const AddressPrefix& block : filter.peers) {
    peers.push_back(peer_condition(block));
  }
  if (size_of(ports) + size_of(peers) > max_bytecode_bytes) {
    throw std::invalid_argument("too many ports and peers for one question to the kernel");
  }
  Bytes code;
  append_group(code, ports, size_of(peers));
  append_group(code, peers, 0);
  return code;
}

InetRequest tcp_request(const InetFilter& filter) {
  const Bytes bytecode = bytecode_of(filter);
  if (filter.family == AF_UNSPEC) {
    // The older message asks for both families in one walk; it takes no single one.
    inet_diag_req request{};
    request.idiag_states = filter.states;
    return {TCPDIAG_GETSOCK, payload_of(request, bytecode)};
  }
  inet_diag_req_v2 request{};
  request.sdiag_family = filter.family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = filter.states;
  return {SOCK_DIAG_BY_FAMILY, payload_of(request, bytecode)};
}

}  // namespace inetdiag::kernel
