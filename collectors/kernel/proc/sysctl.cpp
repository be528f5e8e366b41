#include "collectors/kernel/proc/sysctl.h"

#include "collectors/kernel/base/text.h"

namespace inetdiag::kernel {

std::string sysctl_path(std::string_view name) {
  std::string path(name);
  const std::size_t separator = name.find_first_of("./");
  if (separator != std::string_view::npos && name[separator] == '.') {
    for (char& c : path) {
      if (c == '.' || c == '/') {
        c = c == '.' ? '/' : '.';
      }
    }
  }
  std::string_view rest = path;
  do {
    const std::string_view component = cut(rest, '/');
    if (component.empty() || component == "." || component == "..") {
      return {};
    }
  } while (!rest.empty());
  return path.ends_with('/') ? std::string() : "sys/" + path;
}

}  // namespace inetdiag::kernel
