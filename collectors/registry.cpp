#include "collectors/registry.h"

#include <array>

#include "collectors/conntrack.h"
#include "collectors/listeners.h"
#include "collectors/nstat.h"
#include "collectors/sockstat.h"
#include "collectors/softnet.h"
#include "collectors/sysctl.h"
#include "collectors/tcp.h"
#include "collectors/udp.h"
#include "collectors/unix.h"

namespace inetdiag {
namespace {

using enum NetnsMode;

// clang-format off
constexpr auto table = std::to_array<CollectorEntry>({
    {"nstat", "counters of the network stack: drops, overflows, cookies, retransmission", true, nstat_settings, make_nstat, stateless},
    {"sysctl", "limits of the network stack", true, sysctl_settings, make_sysctl, stateless},
    {"sockstat", "orphans, timewait sockets and memory of the protocols", true, {}, make_sockstat, stateless},
    {"softnet", "packets that each CPU took, dropped or had no time for", true, {}, make_softnet},
    {"conntrack", "how full the table of followed connections is", true, {}, make_conntrack},
    {"unix", "accept queues of listening UNIX sockets", true, unix_settings, make_unix, stateless},
    {"udp", "receive queues, limits and drops of bound UDP sockets", true, udp_settings, make_udp, stateful},
    {"tcp", "TCP sockets by state and by listening port", true, tcp_settings, make_tcp, stateless},
    {"listeners", "queues, limits, drops and owner of each TCP listener", true, listeners_settings, make_listeners, stateful},
});
// clang-format on

}  // namespace

std::span<const CollectorEntry> registry() { return table; }

}  // namespace inetdiag
