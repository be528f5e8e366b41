#include "collectors/kernel/base/random.h"

#include <chrono>

#include <sys/random.h>

namespace inetdiag::kernel {
namespace {

bool fill(std::span<std::byte> bytes, unsigned flags) {
  return ::getrandom(bytes.data(), bytes.size(), flags) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

bool try_random_bytes(std::span<std::byte> bytes) { return fill(bytes, GRND_NONBLOCK); }

std::uint64_t random_number() {
  std::uint64_t number = 0;
  const auto bytes = std::as_writable_bytes(std::span(&number, 1));
  // GRND_INSECURE since Linux 5.6.
  if (fill(bytes, GRND_NONBLOCK) || fill(bytes, GRND_INSECURE)) {
    return number;
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  // The address is random, too (address space layout randomization).
  number = static_cast<std::uint64_t>(now) ^ (reinterpret_cast<std::uintptr_t>(&number) << 16U);
  constexpr std::uint64_t multiplier = 0x9e3779b97f4a7c15U;
  return number * multiplier;
}

}  // namespace inetdiag::kernel
