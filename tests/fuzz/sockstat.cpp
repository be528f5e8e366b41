#include "collectors/sockstat.h"

#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  collect(*make_sockstat({}), {"net/sockstat", "net/sockstat6"}, input);
}

std::vector<std::string> seeds() { return {fixture_text("net/sockstat"), "TCP: inuse 1 orphan\n"}; }

}  // namespace inetdiag::fuzz
