#include "collectors/support/family_merger.h"

#include <utility>

#include "collectors/support/family.h"

namespace inetdiag {

void FamilyMerger::add(std::vector<prometheus::MetricFamily>&& families, std::string_view label,
                       std::string_view value) {
  const std::string valid = valid_utf8(value);
  for (prometheus::MetricFamily& family : families) {
    const auto [index, is_new] = indices_.try_emplace(family.name, families_.size());
    if (is_new) {
      families_.push_back(
          {.name = family.name, .help = family.help, .type = family.type, .metric = {}});
    }
    auto& merged = families_[index->second].metric;
    for (auto& series : family.metric) {
      series.label.push_back({std::string(label), valid});
      merged.push_back(std::move(series));
    }
  }
}

}  // namespace inetdiag
