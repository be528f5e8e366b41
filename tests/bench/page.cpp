// Measures the CPU time of serializing and compressing a page of 20,000 series, as ratios to a
// copy of its text. Prints a table in Markdown.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>

#include "collectors/support/thread_cpu.h"
#include "exporter/exposition/gzip.h"
#include "exporter/exposition/text_format.h"
#include "tests/unit/support/families_of_pods.h"

namespace inetdiag {
namespace {

constexpr std::size_t rounds = 31;

using Ratios = std::array<double, rounds>;

double median(Ratios& ratios) {
  std::ranges::nth_element(ratios, ratios.begin() + rounds / 2);
  return ratios[rounds / 2];
}

template <typename Work>
double cpu_of(Work work) {
  const auto begin = thread_cpu();
  work();
  return (thread_cpu() - begin).count();
}

void measure() {
  const auto families = testing::families_of_pods();
  std::string text = text_format(families);
  std::string copy(text.size(), '\0');
  std::string compressed;
  Ratios serializing{};
  Ratios compressing{};
  for (std::size_t i = 0; i < rounds; ++i) {
    const double copying = cpu_of([&] { std::memcpy(copy.data(), text.data(), text.size()); });
    serializing[i] = cpu_of([&] { text = text_format(families); }) / copying;
    compressing[i] = cpu_of([&] { compressed = gzip(text); }) / copying;
  }
  if (copy != text) {
    throw std::logic_error("the text differs between rounds");
  }
  std::cout << std::fixed << std::setprecision(1)
            << "| CPU of a page of 20,000 series | / a copy of the text |\n|---|---:|\n"
            << "| serializing | " << median(serializing) << " |\n"
            << "| compressing to " << compressed.size() * 100 / text.size() << " % | "
            << median(compressing) << " |\n";
}

}  // namespace
}  // namespace inetdiag

int main() {
  try {
    inetdiag::measure();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "page: " << error.what() << '\n';
    return 1;
  }
}
