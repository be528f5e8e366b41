// The peers that hold the most sockets, as text and JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "collectors/kernel/netlink/top_peers.h"
#include "exporter/exposition/json_writer.h"

namespace inetdiag {

/// Returns a table of up to `count` peers, and a line with the total and the possible error.
std::string peer_table(const kernel::TopPeers& peers, std::size_t count);

/// Returns `300 sockets, 90 peers`, and by how much counts may be too high. `sockets` is a noun in
/// the singular, `where` follows it.
std::string peer_totals(const kernel::TopPeers& peers, std::string_view sockets,
                        std::string_view where = {});

/// Writes the members `sockets`, `exact`, `max_error` and `peers` of an object.
void write_peers(JsonWriter& json, const kernel::TopPeers& peers, std::size_t count);

}  // namespace inetdiag
