// Netlink attributes, netlink(7): a length and a type before each value, aligned to four bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <linux/netlink.h>

namespace inetdiag::kernel {

/// Kernel bytes into a struct of this program's headers, which may be longer or shorter than the
/// kernel's; what the kernel did not send is zero.
template <typename T>
T copy_prefix(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

/// Hands on the type, without its flags, and the value of each attribute up to the first whose
/// length is wrong.
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
