// Entry points for libFuzzer. With FUZZ_SEEDS set, writes the seeds to that directory and exits.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  if (const char* directory = std::getenv("FUZZ_SEEDS")) {
    int number = 0;
    for (const std::string& seed : inetdiag::fuzz::seeds()) {
      inetdiag::fuzz::run(seed);
      std::ofstream(std::string(directory) + "/seed-" + std::to_string(number++)) << seed;
    }
    std::exit(number > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  inetdiag::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
