// A fuzz target is a file in this directory that defines run() and seeds().
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

/// Returns the initial corpus: one valid input of each kind.
std::vector<std::string> seeds();

/// Aborts unless a property of every input holds.
inline void require(bool holds, std::string_view property) {
  if (!holds) {
    std::fprintf(stderr, "property violated: %.*s\n", static_cast<int>(property.size()),
                 property.data());
    std::abort();
  }
}

/// Removes up to `bytes` from the front of `input` and returns them.
inline std::string_view take(std::string_view& input, std::size_t bytes) {
  const std::string_view head = input.substr(0, bytes);
  input.remove_prefix(head.size());
  return head;
}

/// Inverse of chunk(): reads a length of two bytes and the text.
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
