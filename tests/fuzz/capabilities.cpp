#include "collectors/kernel/proc/capabilities.h"

#include "tests/fuzz/target.h"

namespace inetdiag::fuzz {

void run(std::string_view input) {
  constexpr unsigned set_bits = 64;
  for (unsigned capability = 0; capability < 2 * set_bits; ++capability) {
    if (kernel::has_capability(input, capability)) {
      require(capability < set_bits, "capabilities beyond the set are not held");
      require(input.find("CapEff:") != input.npos, "held capabilities require CapEff");
    }
  }
}

std::vector<std::string> seeds() {
  return {"Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n",
          "CapEff:\t0000000000000000\n", "CapEff: 1 2\n", "CapEff"};
}

}  // namespace inetdiag::fuzz
