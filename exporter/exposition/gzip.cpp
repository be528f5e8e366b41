#include "exporter/exposition/gzip.h"

#include <memory>
#include <new>

#include <libdeflate.h>

namespace inetdiag {
namespace {

// Level 1 compresses nearly as well as higher levels and takes the least CPU time.
constexpr int level = 1;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

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

}  // namespace inetdiag
