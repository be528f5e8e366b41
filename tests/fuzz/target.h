// What a fuzz target is: a file of this folder that defines these two.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inetdiag::fuzz {

/// Tries one input.
void run(std::string_view input);

/// What the search begins with: one input of each kind that the real thing sends.
std::vector<std::string> seeds();

/// Ends the program where something does not hold that should for every input.
inline void require(bool holds, std::string_view what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
  }
}

/// Cuts up to `bytes` off the front of `input`.
inline std::string_view take(std::string_view& input, std::size_t bytes) {
  const std::string_view head = input.substr(0, bytes);
  input.remove_prefix(head.size());
  return head;
}

/// The inverse of chunk(): a length of two bytes, then so many.
inline std::string_view take_chunk(std::string_view& input) {
  const std::string_view length = take(input, 2);
  const auto byte = [&](std::size_t i) {
    return i < length.size() ? std::size_t{static_cast<unsigned char>(length[i])} : 0;
  };
  return take(input, byte(0) | byte(1) << 8U);
}

inline std::string chunk(std::string_view text) {
  return std::string{static_cast<char>(text.size() & 0xffU), static_cast<char>(text.size() >> 8U)}
      .append(text);
}

inline std::string chunk(const std::vector<std::byte>& bytes) {
  return chunk(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace inetdiag::fuzz
