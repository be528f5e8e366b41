#pragma once

#include <cstdint>
#include <optional>

namespace inetdiag {

/// Which sockets the counter CurrEstab includes (net/ipv4/tcp.c, tcp_set_state): those in
/// ESTABLISHED, and on newer kernels also those in CLOSE_WAIT. The change is in Linux 6.10, 6.1.95
/// and 5.10.221, but not in every kernel of a distribution with a higher version, so it is inferred
/// from dumps.
class CurrEstab {
 public:
  /// Returns by how much the counts contradict less that CLOSE_WAIT is included, between
  /// -close_wait and close_wait. `established` may be negative if it is a difference of counts that
  /// were read at different times.
  static std::int64_t evidence(std::uint64_t curr_estab, std::int64_t established,
                               std::uint64_t close_wait) {
    const std::int64_t surplus = static_cast<std::int64_t>(curr_estab) - established;
    return magnitude(surplus) - magnitude(surplus - static_cast<std::int64_t>(close_wait));
  }

  /// Compares it with the sockets of a full dump. The counts of a busy host change meanwhile, in
  /// both directions, so the evidence of several dumps is added.
  void compare(std::uint64_t curr_estab, std::uint64_t established, std::uint64_t close_wait) {
    evidence_ += evidence(curr_estab, static_cast<std::int64_t>(established), close_wait);
  }

  /// Returns nothing until a dump had sockets in CLOSE_WAIT.
  std::optional<bool> includes_close_wait() const {
    return evidence_ == 0 ? std::nullopt : std::optional(evidence_ > 0);
  }

 private:
  static std::int64_t magnitude(std::int64_t value) { return value < 0 ? -value : value; }

  std::int64_t evidence_ = 0;
};

}  // namespace inetdiag
