// Runs collectors on arbitrary procfs files.
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

inline std::string fixture_text(std::string_view relative) {
  std::ifstream file(std::string(FIXTURES "/proc/").append(relative));
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Writes `text` to all files and collects twice, because the result may depend on earlier values.
inline void collect(Collector& collector, std::initializer_list<std::string_view> files,
                    std::string_view text) {
  static testing::CollectorFixture fixture;
  for (const std::string_view file : files) {
    fixture.proc_tree.write(file, text);
  }
  for (int i = 0; i < 2; ++i) {
    require_valid_page(fixture.collect(collector));
  }
}

}  // namespace inetdiag::fuzz
