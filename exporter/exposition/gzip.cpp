#include "exporter/exposition/gzip.h"

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include <libdeflate.h>

#include "collectors/kernel/base/text.h"

namespace inetdiag {
namespace {

// Level 1 achieves nearly the ratio of the higher ones, for the least CPU time.
constexpr int level = 1;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

bool equals_ignoring_case(std::string_view text, std::string_view name) {
  return std::ranges::equal(text, name, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Returns whether the weight is 0: `;q=0`, `; q=0.000`.
bool has_zero_weight(std::string_view parameters) {
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
  std::optional<bool> accepts_named;
  bool accepts_any = false;
  while (!accept_encoding.empty()) {
    std::string_view parameters = kernel::cut(accept_encoding, ',');
    const std::string_view coding = kernel::trimmed(kernel::cut(parameters, ';'));
    const bool is_accepted = !has_zero_weight(parameters);
    if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) {
      accepts_named = is_accepted;
    } else if (coding == "*") {
      accepts_any = is_accepted;
    }
  }
  return accepts_named.value_or(accepts_any);
}

}  // namespace inetdiag
