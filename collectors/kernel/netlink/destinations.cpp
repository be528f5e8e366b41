#include "collectors/kernel/netlink/destinations.h"

#include <algorithm>
#include <map>

namespace inetdiag::kernel {
namespace {

constexpr std::size_t max_fullest = 1000;

bool is_reusable(const InetSocket& socket, const Destination& destination, TimeWaitReuse reuse) {
  return socket.state == TcpState::time_wait &&
         (reuse == TimeWaitReuse::on ||
          (reuse == TimeWaitReuse::loopback &&
           (destination.source.is_loopback() || destination.address.is_loopback())));
}

}  // namespace

std::size_t DestinationHash::operator()(const Destination& destination) const {
  const auto [source_high, source_low] = destination.source.words();
  const auto [high, low] = destination.address.words();
  return hash_({source_high, source_low, high, low, destination.port, destination.device});
}

DestinationCounter::DestinationCounter(const EphemeralPorts& ports) : ports_(ports) {}

void DestinationCounter::add(const InetSocket& socket, std::span<const std::byte> payload) {
  if (!ports_.ports[socket.local_port] || socket.state == TcpState::close) {
    return;
  }
  const InetPeer peer = parse_inet_peer(payload);
  const Destination destination{.source = socket.local.unmapped().value_or(socket.local),
                                .address = peer.address.unmapped().value_or(peer.address),
                                .port = peer.port,
                                .device = socket.device};
  if (!is_reusable(socket, destination, ports_.reuse)) {
    sketch_.add(destination);
  }
}

DestinationsInUse DestinationCounter::result() const {
  DestinationsInUse result{
      .usable_ports = ports_.ports.count(), .fullest = {}, .is_exact = sketch_.is_exact()};
  std::map<Destination, DestinationPorts> on_any_device;
  for (const auto& entry : sketch_.top(sketch_.size())) {
    result.fullest.push_back(
        {.destination = entry.key, .at_least = entry.at_least, .at_most = entry.at_most});
    if (entry.key.device == 0) {
      on_any_device.emplace(entry.key, result.fullest.back());
    }
  }
  for (DestinationPorts& ports : result.fullest) {
    if (ports.destination.device != 0) {
      Destination any = ports.destination;
      any.device = 0;
      const auto found = on_any_device.find(any);
      ports.at_least += found == on_any_device.end() ? 0 : found->second.at_least;
      ports.at_most += found == on_any_device.end() ? sketch_.max_error() : found->second.at_most;
    }
    result.at_most = std::max(result.at_most, ports.at_most);
  }
  std::ranges::stable_sort(result.fullest, std::ranges::greater(), &DestinationPorts::at_least);
  result.fullest.resize(std::min(result.fullest.size(), max_fullest));
  return result;
}

}  // namespace inetdiag::kernel
