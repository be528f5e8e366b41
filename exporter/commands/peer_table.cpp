#include "exporter/commands/peer_table.h"

#include <fmt/format.h>

namespace inetdiag {
namespace {

using kernel::PeerScope;
using kernel::TopPeers;

constexpr double percent = 100;

double share_of(std::uint64_t count, std::uint64_t total) {
  return percent * static_cast<double>(count) / static_cast<double>(total);
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
  return text + peer_totals(peers, "sockets") + "\n";
}

std::string peer_totals(const TopPeers& peers, const std::string& sockets) {
  const TopPeers::Sketch& sketch = peers.sketch();
  const char* unit = peers.scope() == PeerScope::network ? "networks" : "peers";
  return sketch.is_exact()
             ? fmt::format("{} {}, {} {}", sketch.total(), sockets, sketch.size(), unit)
             : fmt::format("{} {}, more than {} {}: a count may be up to {} too high",
                           sketch.total(), sockets, sketch.size(), unit, sketch.max_error());
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
