#include "collectors/kernel/netns/pod_names.h"

#include <filesystem>
#include <string_view>
#include <system_error>

namespace inetdiag {

std::map<std::string, PodName> read_pod_names(const std::string& directory) {
  std::map<std::string, PodName> pods;
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(directory, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw std::system_error(error, "cannot read " + directory);
  }
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string text = entry->path().filename().string();
    // Namespace, name and UID cannot contain an underscore (RFC 1123).
    const std::size_t first = text.find('_');
    const std::size_t last = text.rfind('_');
    if (first != std::string::npos && first < last && text.find('_', first + 1) == last &&
        first > 0 && last > first + 1 && last + 1 < text.size()) {
      pods[text.substr(last + 1)] = {text.substr(0, first),
                                     text.substr(first + 1, last - first - 1)};
    }
  }
  return pods;
}

}  // namespace inetdiag
