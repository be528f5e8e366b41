#include "exporter/registry.h"

#include <array>

#include "collectors/listeners.h"
#include "collectors/nstat.h"
#include "collectors/sysctl.h"
#include "collectors/tcp.h"

namespace inetdiag {
namespace {

// clang-format off
constexpr auto table = std::to_array<CollectorEntry>({
    {"nstat", "counters of the network stack: drops, overflows, cookies, retransmission", true, nstat_settings, make_nstat},
    {"sysctl", "limits of the network stack", true, sysctl_settings, make_sysctl},
    {"tcp", "TCP sockets by state and by listening port", true, tcp_settings, make_tcp},
    {"listeners", "queues, limits, drops and owner of each TCP listener", true, listeners_settings, make_listeners},
});
// clang-format on

}  // namespace

std::span<const CollectorEntry> registry() { return table; }

}  // namespace inetdiag
