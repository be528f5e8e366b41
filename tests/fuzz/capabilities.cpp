#include "collectors/kernel/proc/capabilities.h"

#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  constexpr unsigned most = 64;  // bits of the set
  for (unsigned capability = 0; capability < 2 * most; ++capability) {
    if (kernel::has_capability(input, capability)) {
      require(capability < most, "no capability is beyond the set");
      require(input.find("CapEff:") != input.npos, "the effective set is told");
    }
  }
}

std::vector<std::string> seeds() {
  return {"Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n",
          "CapEff:\t0000000000000000\n", "CapEff: 1 2\n", "CapEff"};
}

}  // namespace inetdiag::fuzz
