#include "exporter/exposition/gzip.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>

#include <isa-l/igzip_lib.h>

namespace inetdiag {
namespace {

// Level 0 compresses less, level 2 not more, and level 3 takes several times the CPU time.
constexpr int level = 1;

struct Workspace {
  isal_zstream stream;
  std::array<std::uint8_t, ISAL_DEF_LVL1_SMALL> level_buffer;
};

/// Stored blocks of at most 64 KiB, each with a header of 5 bytes, are the worst case.
std::size_t bound(std::size_t size) {
  constexpr std::size_t block = std::numeric_limits<std::uint16_t>::max();
  constexpr std::size_t gzip_header_and_trailer = 18;
  return size + 5 * (size / block + 1) + gzip_header_and_trailer;
}

/// ISA-L counts bytes in 32 bits.
std::uint32_t length(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("page is too long to be compressed");
  }
  return static_cast<std::uint32_t>(size);
}

}  // namespace

std::string gzip(std::string_view text) {
  std::string compressed(bound(text.size()), '\0');
  const auto workspace = std::make_unique_for_overwrite<Workspace>();
  isal_zstream& stream = workspace->stream;
  isal_deflate_stateless_init(&stream);
  stream.level = level;
  stream.level_buf = workspace->level_buffer.data();
  stream.level_buf_size = length(workspace->level_buffer.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = length(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(compressed.data());
  stream.avail_out = length(compressed.size());
  if (const int error = isal_deflate_stateless(&stream); error != COMP_OK) {
    throw std::runtime_error("cannot compress the page: ISA-L error " + std::to_string(error));
  }
  compressed.resize(stream.total_out);
  return compressed;
}

}  // namespace inetdiag
