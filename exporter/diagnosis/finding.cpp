#include "exporter/diagnosis/finding.h"

namespace inetdiag::diagnosis {

std::string selector(std::string_view metric, const std::map<std::string, std::string>& labels) {
  std::string text(metric);
  char before = '{';
  for (const auto& [name, value] : labels) {
    text.push_back(before);
    text.append(name).append("=\"");
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        text.push_back('\\');
      }
      text.append(c == '\n' ? "\\n" : std::string_view(&c, 1));
    }
    text.push_back('"');
    before = ',';
  }
  return labels.empty() ? text : text + "}";
}

}  // namespace inetdiag::diagnosis
