// A collector that reads files, asked with files of any content.
#pragma once

#include <chrono>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/fuzz/page.h"
#include "tests/unit/support/collected.h"

namespace inetdiag::fuzz {

inline std::string fixture(std::string_view relative) {
  std::ifstream file(std::string(FIXTURES "/proc/").append(relative));
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Asks the collector twice, since what it tells may depend on what it met before.
inline void ask(Collector& collector, std::initializer_list<std::string_view> files,
                std::string_view text) {
  static testing::Surroundings surroundings;
  for (const std::string_view file : files) {
    surroundings.proc_tree.write(file, text);
  }
  for (int i = 0; i < 2; ++i) {
    require_valid_page(surroundings.collect(collector));
  }
}

}  // namespace inetdiag::fuzz
