// Output of the one-shot commands, with the errors of write(2).
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace inetdiag {

/// EPIPE: the reader has closed the pipe, as `| head` does. Not a failure of the command.
struct BrokenPipe : std::runtime_error {
  BrokenPipe() : std::runtime_error("the reader has closed the pipe") {}
};

/// Writes all of `text`. Throws std::system_error if write(2) fails, BrokenPipe for EPIPE.
void write_all(int fd, std::string_view text);

/// Replaces the contents of the file by a rename in the same directory: readers see either the old
/// or the new text. Follows symbolic links. Throws std::runtime_error on failure.
void replace_file(const std::string& path, std::string_view text);

}  // namespace inetdiag
