#include "exporter/gzip.h"

#include <algorithm>
#include <new>
#include <optional>

#include <zlib.h>

#include "collectors/kernel/text.h"

namespace inetdiag {
namespace {

// A scrape is read once, on a network that is fast: the cheapest level gains nearly all of it.
constexpr int level = 1;
constexpr int gzip_window_bits = 15 + 16;
constexpr int memory_level = 8;

bool is_name(std::string_view text, std::string_view name) {
  return std::ranges::equal(text, name, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// The weight of one element is 0: `;q=0`, `; q=0.000`.
bool is_refused(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = kernel::trimmed(kernel::cut(parameters, ';'));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      return parameter.find_first_not_of("0.", 2) == std::string_view::npos;
    }
  }
  return false;
}

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, gzip_window_bits, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  // zlib reads from it only, but its type says otherwise without ZLIB_CONST.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  deflate(&stream, Z_FINISH);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named;
  bool any = false;
  while (!accept_encoding.empty()) {
    std::string_view parameters = kernel::cut(accept_encoding, ',');
    const std::string_view coding = kernel::trimmed(kernel::cut(parameters, ';'));
    const bool accepted = !is_refused(parameters);
    if (is_name(coding, "gzip") || is_name(coding, "x-gzip")) {
      named = accepted;
    } else if (coding == "*") {
      any = accepted;
    }
  }
  return named.value_or(any);
}

}  // namespace inetdiag
