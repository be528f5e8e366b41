#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "collectors/kernel/base/random.h"

namespace inetdiag::kernel {

/// Hashes keys that a peer can choose: the secret is random, so nobody can make keys collide.
class SecretHash {
 public:
  SecretHash() : first_secret_(random_number()), second_secret_(random_number()) {}

  std::size_t operator()(std::initializer_list<std::uint64_t> words) const {
    std::uint64_t hash = first_secret_;
    for (const std::uint64_t word : words) {
      hash = mix(hash ^ word, second_secret_);
    }
    return mix(hash, first_secret_);
  }

 private:
  /// Multiplies to 128 bits and folds, as wyhash does.
  static std::uint64_t mix(std::uint64_t left, std::uint64_t right) {
    __extension__ using Product = unsigned __int128;
    const Product product = Product{left} * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }

  std::uint64_t first_secret_;
  std::uint64_t second_secret_;
};

}  // namespace inetdiag::kernel
