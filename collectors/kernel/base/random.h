// Random numbers of the kernel, getrandom(2), without waiting for its entropy early at boot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace inetdiag::kernel {

/// Fills `bytes` for a cryptographic key. Returns false while the kernel has not gathered enough
/// entropy.
bool try_random_bytes(std::span<std::byte> bytes);

/// Returns a number that other processes and peers cannot predict. Weaker while the kernel has not
/// gathered enough entropy, so not for keys.
std::uint64_t random_number();

}  // namespace inetdiag::kernel
