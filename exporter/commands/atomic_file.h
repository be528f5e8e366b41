// How the one-shot commands write: straight to a file descriptor, whose errors are known then.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace inetdiag {

/// Thrown where the reader of a pipe has gone: as with `| head`, no error of the writer.
struct ReaderGone : std::runtime_error {
  ReaderGone() : std::runtime_error("the reader has closed the pipe") {}
};

/// Writes all of `text`. Throws std::system_error, and ReaderGone.
void write_all(int fd, std::string_view text);

/// Puts `text` in the place of the file `path`, by a rename in the same folder: whoever reads the
/// file meanwhile has the old text or the new one, and never a part. Throws std::runtime_error.
void replace_file(const std::string& path, std::string_view text);

}  // namespace inetdiag
