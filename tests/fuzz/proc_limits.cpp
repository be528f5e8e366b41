#include "collectors/files.h"
#include "collectors/fragments.h"
#include "collectors/neighbours.h"
#include "collectors/netlink.h"
#include "collectors/raw.h"
#include "collectors/route_cache.h"
#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  collect(*make_files({}), {"sys/fs/file-nr"}, input);
  collect(*make_fragments({}), {"net/sockstat", "net/sockstat6", "sys/net/ipv4/ipfrag_high_thresh"},
          input);
  collect(*make_neighbours({}),
          {"net/stat/arp_cache", "net/stat/ndisc_cache", "sys/net/ipv4/neigh/default/gc_thresh3"},
          input);
  collect(*make_netlink({}), {"net/netlink"}, input);
  collect(*make_raw({}), {"net/raw", "net/raw6"}, input);
  collect(*make_route_cache({}),
          {"net/rt6_stats", "sys/kernel/osrelease", "sys/net/ipv6/route/max_size"}, input);
}

std::vector<std::string> seeds() {
  return {fixture_text("sys/fs/file-nr"),     fixture_text("net/sockstat"),
          fixture_text("net/sockstat6"),      fixture_text("net/stat/arp_cache"),
          fixture_text("net/netlink"),        fixture_text("net/raw"),
          fixture_text("net/raw6"),           "6.2.0\n",
          "0009 0006 0012 0007 0000 00ff 0\n"};
}

}  // namespace inetdiag::fuzz
