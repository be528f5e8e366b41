#include "exporter/diagnosis/labels.h"

namespace inetdiag::diagnosis {

std::string selector(std::string_view metric, const LabelMap& labels) {
  std::string text(metric);
  char separator = '{';
  for (const auto& [name, value] : labels) {
    text.push_back(separator);
    text.append(name).append("=\"");
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        text.push_back('\\');
      }
      text.append(c == '\n' ? "\\n" : std::string_view(&c, 1));
    }
    text.push_back('"');
    separator = ',';
  }
  return labels.empty() ? text : text + "}";
}

}  // namespace inetdiag::diagnosis
