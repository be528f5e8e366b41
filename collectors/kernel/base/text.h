// Helpers to parse the text files of procfs.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace inetdiag::kernel {

/// As an object and not a function, the algorithms inline it.
constexpr auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };

/// Removes the text up to and including the first `separator` from `rest`. Returns it without the
/// separator.
inline std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return head;
}

inline std::string_view next_line(std::string_view& rest) { return cut(rest, '\n'); }

/// Removes the next word from `line` and returns it; empty at the end of the line.
inline std::string_view next_word(std::string_view& line) {
  const auto* const begin = std::ranges::find_if_not(line, is_space);
  const auto* const end = std::find_if(begin, line.end(), is_space);
  const std::string_view word(begin, end);
  line = {end, line.end()};
  return word;
}

/// Removes the next `count` words and returns them; empty ones if the line has fewer.
template <std::size_t count>
std::array<std::string_view, count> next_words(std::string_view& line) {
  std::array<std::string_view, count> words;
  for (std::string_view& word : words) {
    word = next_word(line);
  }
  return words;
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// Returns nothing unless all of `text` is a number.
template <typename T, typename... Base>
std::optional<T> to_number(std::string_view text, Base... base) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base...);
  if (error != std::errc{} || stop != end || text.empty()) {
    return std::nullopt;
  }
  return value;
}

/// Parses a hexadecimal integer without prefix.
inline std::optional<std::uint64_t> hex_number(std::string_view text) {
  constexpr int hexadecimal = 16;
  return to_number<std::uint64_t>(text, hexadecimal);
}

/// Parses a decimal integer, signed or up to 2^64 - 1.
inline std::optional<double> to_double(std::string_view text) {
  if (const auto value = to_number<unsigned long long>(text)) {
    return static_cast<double>(*value);
  }
  if (const auto value = to_number<long long>(text)) {
    return static_cast<double>(*value);
  }
  return std::nullopt;
}

}  // namespace inetdiag::kernel
