// Netlink attributes, netlink(7): length, type and value, aligned to 4 bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <linux/netlink.h>

namespace inetdiag::kernel {

/// Copies kernel bytes into a struct whose size may differ from the running kernel's. Missing bytes
/// are zero.
template <typename T>
T copy_prefix(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

/// Calls `each(type, value)` for every attribute, the type without its flags. Stops at an attribute
/// with an invalid length.
template <typename Each>
void for_each_attribute(std::span<const std::byte> bytes, Each each) {
  while (bytes.size() >= sizeof(nlattr)) {
    const auto header = copy_prefix<nlattr>(bytes);
    if (header.nla_len < sizeof(nlattr) || header.nla_len > bytes.size()) {
      return;
    }
    each(header.nla_type & NLA_TYPE_MASK,
         bytes.subspan(sizeof(nlattr), header.nla_len - sizeof(nlattr)));
    const std::size_t step = (std::size_t{header.nla_len} + 3) & ~std::size_t{3};
    bytes = bytes.subspan(std::min(step, bytes.size()));
  }
}

}  // namespace inetdiag::kernel
