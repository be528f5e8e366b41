#include "exporter/diagnosis/html.h"

namespace inetdiag {

std::string escape_html(std::string_view text) {
  constexpr char first_printable = 0x20;
  constexpr char del = 0x7F;
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html.append("&amp;");
        break;
      case '<':
        html.append("&lt;");
        break;
      case '>':
        html.append("&gt;");
        break;
      case '"':
        html.append("&quot;");
        break;
      case '\'':
        html.append("&#39;");
        break;
      default:
        // Negative: a byte of a multi-byte UTF-8 sequence.
        if ((c >= 0 && c < first_printable) || c == del) {
          html.append("\xEF\xBF\xBD");
        } else {
          html.push_back(c);
        }
    }
  }
  return html;
}

}  // namespace inetdiag
