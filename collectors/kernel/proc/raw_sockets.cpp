#include "collectors/kernel/proc/raw_sockets.h"

#include <cstddef>
#include <limits>

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {
namespace {

/// Column indices: sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid
/// timeout inode ref pointer drops
struct RawColumn {
  static constexpr std::size_t local_address = 1;
  static constexpr std::size_t queues = 4;
  static constexpr std::size_t inode = 9;
  static constexpr std::size_t drops = 12;
  static constexpr std::size_t count = 13;
};

}  // namespace

std::vector<RawSocketEntry> parse_raw_sockets(std::string_view text) {
  std::vector<RawSocketEntry> sockets;
  next_line(text);
  while (!text.empty()) {
    std::string_view line = next_line(text);
    auto words = next_words<RawColumn::count>(line);
    cut(words[RawColumn::local_address], ':');
    cut(words[RawColumn::queues], ':');
    const auto protocol = hex_number(words[RawColumn::local_address]);  // in the place of a port
    const auto queued = hex_number(words[RawColumn::queues]);
    const auto id = to_number<std::uint64_t>(words[RawColumn::inode]);
    const auto dropped = to_number<std::uint32_t>(words[RawColumn::drops]);
    if (protocol && *protocol <= std::numeric_limits<std::uint8_t>::max() && queued && id &&
        dropped) {
      sockets.push_back({static_cast<std::uint8_t>(*protocol), *queued, *dropped, *id});
    }
  }
  return sockets;
}

}  // namespace inetdiag::kernel
