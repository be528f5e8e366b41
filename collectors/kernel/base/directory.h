#pragma once

#include <memory>

#include <dirent.h>

namespace inetdiag::kernel {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

/// The result of opendir(3); null if it failed.
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace inetdiag::kernel
