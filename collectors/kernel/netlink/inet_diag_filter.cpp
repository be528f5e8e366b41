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

/// A comparison of the local or the remote end of a socket, without its jumps.
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

Condition peer_condition(const AddressPrefix& network) {
  const std::size_t bytes = network.address.family == AF_INET ? v4_bits / 8 : v6_bits / 8;
  return {.code = INET_DIAG_BC_D_COND,
          .family = network.address.family,
          .prefix = network.prefix,
          .address = std::span(network.address.bytes).first(bytes)};
}

void append_operation(Bytes& code, std::uint8_t operation, std::size_t yes, std::size_t no) {
  append(code, inet_diag_bc_op{.code = operation,
                               .yes = static_cast<std::uint8_t>(yes),
                               .no = static_cast<std::uint16_t>(no)});
}

using Group = std::vector<Condition>;

/// A disjunction. Each condition is followed by a jump to the end of the group, which a false
/// condition skips; if the last one is false, the socket is rejected.
std::size_t size_of(const Group& group) {
  std::size_t size = 0;
  for (const Condition& condition : group) {
    size += condition.size() + sizeof(inet_diag_bc_op);
  }
  return group.empty() ? 0 : size - sizeof(inet_diag_bc_op);
}

/// `remaining` is the number of bytes of code after the group.
void append_group(Bytes& code, const Group& group, std::size_t remaining) {
  std::size_t left = size_of(group);
  for (const Condition& condition : group) {
    const bool is_last = left == condition.size();
    const std::size_t no =
        is_last ? left + remaining + reject_jump : condition.size() + sizeof(inet_diag_bc_op);
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
  for (const std::uint16_t port : filter.ports) {
    ports.push_back(port_condition(INET_DIAG_BC_S_COND, port));
    ports.push_back(port_condition(INET_DIAG_BC_D_COND, port));
  }
  Group peers;
  for (const AddressPrefix& network : filter.peers) {
    peers.push_back(peer_condition(network));
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
