#include "exporter/exposition/gzip.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace inetdiag {
namespace {

std::string unzipped(std::string compressed, std::size_t size) {
  std::string text(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

std::string random_bytes(std::size_t size) {
  std::mt19937 random;
  std::string bytes(size, '\0');
  std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
  return bytes;
}

TEST(Gzip, DecompressesToTheSameText) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(1'000'000, 'x')}) {
    EXPECT_EQ(unzipped(gzip(text), text.size()), text);
  }
}

TEST(Gzip, CompressesARepetitiveText) {
  EXPECT_LT(gzip(std::string(1'000'000, 'x')).size(), 20'000);
}

TEST(Gzip, HasRoomForWhatCannotBeCompressed) {
  for (const std::size_t size : {1U, 100U, 65'535U, 65'536U, 1'000'000U}) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(unzipped(gzip(bytes), size), bytes);
  }
}

}  // namespace
}  // namespace inetdiag
