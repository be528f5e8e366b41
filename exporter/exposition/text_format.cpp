#include "exporter/exposition/text_format.h"

#include "exporter/exposition/text_lines.h"

namespace inetdiag {
namespace {

std::string shortest_number(double value) {
  std::string text;
  append_sample_value(text, value);
  return text;
}

}  // namespace

std::string text_format(const std::vector<prometheus::MetricFamily>& families) {
  std::string text;
  text.reserve(estimated_bytes(families));
  for (const prometheus::MetricFamily& family : families) {
    text.append("# HELP ").append(family.name).append(" ");
    append_escaped(text, family.help, "\\\n");
    text.append("\n# TYPE ").append(family.name).append(" ");
    text.append(type_name(family.type)).append("\n");
    for (const auto& series : family.metric) {
      append_series(text, family, series, shortest_number);
    }
  }
  return text;
}

}  // namespace inetdiag
