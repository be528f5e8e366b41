#include "collectors/kernel/proc/tcp_activity.h"

#include "collectors/kernel/proc/counter_file.h"
#include "collectors/kernel/proc/sockstat.h"

namespace inetdiag::kernel {

TcpActivity tcp_activity(CachedFiles& proc) {
  TcpActivity activity;
  parse_counter_pairs(proc.read("net/snmp").value_or(""), [&](const Counter& counter) {
    if (counter.group == "Tcp" &&
        (counter.name == "InSegs" || counter.name == "OutSegs" || counter.name == "ActiveOpens")) {
      activity.segments = activity.segments.value_or(0) + counter.value;
    }
  });
  const auto ipv4 = proc.read("net/sockstat").value_or("");
  const auto ipv6 = proc.read("net/sockstat6").value_or("");
  activity.has_sockets = sockstat_value(ipv4, "TCP", "inuse").value_or(1) > 0 ||
                         sockstat_value(ipv4, "TCP", "tw").value_or(1) > 0 ||
                         sockstat_value(ipv6, "TCP6", "inuse").value_or(0) > 0;
  return activity;
}

}  // namespace inetdiag::kernel
