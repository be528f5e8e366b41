#include "collectors/softnet.h"

#include "tests/fuzz/proc_file.h"

namespace inetdiag::fuzz {

void run(std::string_view input) { collect(*make_softnet({}), {"net/softnet_stat"}, input); }

std::vector<std::string> seeds() {
  return {fixture_text("net/softnet_stat"), "0 1 2\n", "00000001 g 3 4\n"};
}

}  // namespace inetdiag::fuzz
