#include "exporter/commands/peer_table.h"

#include <cstdint>

#include <fmt/format.h>

namespace inetdiag {
namespace {

using kernel::PeerScope;
using kernel::TopPeers;

constexpr double percent = 100;

double share_of(std::uint64_t count, std::uint64_t total) {
  return percent * static_cast<double>(count) / static_cast<double>(total);
}

std::string number_of(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace

std::string peer_table(const TopPeers& peers, std::size_t count) {
  const bool is_network = peers.scope() == PeerScope::network;
  std::string text = fmt::format("{:<10}{:<10}{:>6}  {}\n", "SOCKETS", "AT LEAST", "SHARE",
                                 is_network ? "NETWORK" : "PEER");
  const TopPeers::Sketch& sketch = peers.sketch();
  for (const auto& entry : sketch.top(count)) {
    text += fmt::format("{:<9} {:<9} {:>5.1f}%  {}\n", entry.at_most, entry.at_least,
                        share_of(entry.at_most, sketch.total()), text_of(entry.key));
  }
  return text + peer_totals(peers, "socket") + "\n";
}

std::string peer_totals(const TopPeers& peers, std::string_view sockets, std::string_view where) {
  const TopPeers::Sketch& sketch = peers.sketch();
  const std::string all = number_of(sketch.total(), sockets).append(where) + ", ";
  const std::string groups =
      number_of(sketch.size(), peers.scope() == PeerScope::network ? "network" : "peer");
  return sketch.is_exact() ? all + groups
                           : fmt::format("{}more than {}: a count may be up to {} too high", all,
                                         groups, sketch.max_error());
}

void write_peers(JsonWriter& json, const TopPeers& peers, std::size_t count) {
  const TopPeers::Sketch& sketch = peers.sketch();
  json.field("sockets", sketch.total());
  json.field("exact", sketch.is_exact());
  json.field("max_error", sketch.max_error());
  json.key("peers").begin_array();
  for (const auto& entry : sketch.top(count)) {
    json.begin_object();
    json.field("peer", text_of(entry.key));
    json.field("at_most", entry.at_most);
    json.field("at_least", entry.at_least);
    json.end_object();
  }
  json.end_array();
}

}  // namespace inetdiag
