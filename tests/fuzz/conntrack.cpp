#include "collectors/conntrack.h"

#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  collect(*make_conntrack({}),
          {"net/stat/nf_conntrack", "sys/net/netfilter/nf_conntrack_count",
           "sys/net/netfilter/nf_conntrack_max"},
          input);
}

std::vector<std::string> seeds() {
  return {fixture_text("net/stat/nf_conntrack"), "262144\n", "entries found\n1 2\n3\n"};
}

}  // namespace inetdiag::fuzz
