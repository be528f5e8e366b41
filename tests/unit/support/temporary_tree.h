#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace inetdiag::testing {

/// A temporary directory, removed by the destructor.
class TemporaryTree {
 public:
  TemporaryTree() {
    std::string name = (std::filesystem::temp_directory_path() / "inetdiag-test-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;
  ~TemporaryTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  std::string root() const { return root_.string(); }
  std::filesystem::path path(std::string_view relative) const { return root_ / relative; }

  void write(std::string_view relative, std::string_view text) const {
    std::filesystem::create_directories(path(relative).parent_path());
    std::ofstream(path(relative)) << text;
  }
  std::filesystem::path make_directory(std::string_view relative) const {
    std::filesystem::create_directories(path(relative));
    return path(relative);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace inetdiag::testing
