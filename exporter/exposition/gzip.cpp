#include "exporter/exposition/gzip.h"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include <libdeflate.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

// A scrape is read once, on a network that is fast: the cheapest level gains nearly all of it.
constexpr int level = 1;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

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
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(level));
  if (!compressor) {
    throw std::bad_alloc();
  }
  std::string compressed(libdeflate_gzip_compress_bound(compressor.get(), text.size()), '\0');
  compressed.resize(libdeflate_gzip_compress(compressor.get(), text.data(), text.size(),
                                             compressed.data(), compressed.size()));
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
